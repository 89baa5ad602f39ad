"""Takes parts out of JSON and XML with a path."""

from __future__ import annotations

import json
from typing import Any
from xml.etree.ElementTree import tostring

import jmespath  # type: ignore[import-untyped]
import jmespath.exceptions  # type: ignore[import-untyped]

from integrations.tools import xml
from integrations.tools.base import Setup, Tool, function
from integrations.tools.wording import cut, needed, shortened
from mindloom.engine.ports import ToolContext, ToolError, ToolFunction

MOST_CHARACTERS = 500_000
MOST_SHOWN = 30_000
MOST_FOUND = 500
_LARGEST = 20_000_000
"""Characters that a result may come from, counted as often as the path repeats them."""


def _json(arguments: dict[str, Any], context: ToolContext) -> str:
    text, path = (
        needed(arguments, "json_text", "the JSON", MOST_CHARACTERS),
        needed(arguments, "path", "which part", 500),
    )
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ToolError(f"This is not JSON: {shortened(error, 200)}.") from None
    try:
        compiled = jmespath.compile(path)
        if len(text) * _repeats(compiled.parsed) > _LARGEST:
            raise ToolError("The path repeats too much of this JSON. Take fewer parts at a time.")
        found = compiled.search(value)
    except jmespath.exceptions.JMESPathError as error:
        raise ToolError(
            f"The path does not work: {shortened(error, 300)}. Write it in JMESPath, like people[?age > `30`].name."
        ) from None
    except (RecursionError, TypeError, ValueError, AttributeError):
        raise ToolError("The path does not fit this JSON.") from None
    if found is None:
        keys = f" At the top there are: {', '.join(map(str, value))[:300]}." if isinstance(value, dict) else ""
        return f"Nothing is at this path.{keys}"
    return cut(json.dumps(found, indent=2, ensure_ascii=False), MOST_SHOWN, "The result")


def _repeats(node: Any) -> int:
    """How often the result of a path may hold the same part: what is listed side by side, multiplied along the path."""
    repeats = max(1, len(node["children"])) if node["type"].startswith("multi_select") else 1
    for child in node["children"]:
        repeats = min(repeats * _repeats(child), _LARGEST)
    return repeats


def _xml(arguments: dict[str, Any], context: ToolContext) -> str:
    root = xml.read(needed(arguments, "xml_text", "the XML", MOST_CHARACTERS), "The XML")
    path = needed(arguments, "path", "which part", 300)
    if path.count("//") > 2:
        raise ToolError("The path has too many //.")
    for one in root.iter():  # paths are written without namespaces
        if isinstance(one.tag, str):
            one.tag = one.tag.rpartition("}")[2]
    steps, attribute = (path.rpartition("/@")[0] or ".", path.rpartition("/@")[2]) if "/@" in path else (path, "")
    try:
        found = root.findall(
            f".{steps}" if steps.startswith("//") else steps.removeprefix(f"/{root.tag}/").lstrip("/") or "."
        )
    except (SyntaxError, KeyError, TypeError, ValueError):
        raise ToolError(
            "The path does not work. Write it in simple XPath, like //item/title or //item[@id='3']/@href."
        ) from None
    values = [one.get(attribute, "") if attribute else _shown(one) for one in found[:MOST_FOUND]]
    if not values:
        return f"Nothing is at this path. The root is <{root.tag}> with {', '.join(dict.fromkeys(f'<{one.tag}>' for one in root)) or 'nothing'} in it."[
            :1_000
        ]
    more = f"\n\nThere are more; the first {MOST_FOUND} are shown." if len(found) > MOST_FOUND else ""
    return cut("\n".join(values), MOST_SHOWN, "The result") + more


def _shown(one: Any) -> str:
    return tostring(one, encoding="unicode").strip() if len(one) else (one.text or "").strip()


def _functions(setup: Setup) -> list[ToolFunction]:
    return [
        function(
            "query_json",
            "Take parts out of JSON with a JMESPath expression: pick, filter, sort, reshape.",
            {
                "json_text": {"type": "string"},
                "path": {"type": "string", "description": "JMESPath, such as people[?age > `30`].name"},
            },
            _json,
            required=("json_text", "path"),
        ),
        function(
            "query_xml",
            "Take parts out of XML with a simple XPath.",
            {
                "xml_text": {"type": "string"},
                "path": {"type": "string", "description": "XPath, such as //item/title or //item/@href"},
            },
            _xml,
            required=("xml_text", "path"),
        ),
    ]


TOOL = Tool(
    key="data",
    name="JSON and XML",
    description="Takes parts out of JSON and XML with a path.",
    icon="braces",
    effect="reads",
    functions=_functions,
)

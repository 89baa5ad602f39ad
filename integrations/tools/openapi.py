"""Reads the OpenAPI description of an API: which operations there are, and what each takes.

A description is somebody's text: it is only ever looked at. References are followed inside it and up to a bound, and what an
operation takes becomes a plain JSON Schema of the words that models need.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

MOST_CHARACTERS = 2_000_000
MOST_OPERATIONS = 500
_MOST_NODES = 4_000
"""Of the schema of one operation, references unfolded."""
_DEEPEST = 12
_METHODS = ("get", "put", "post", "delete", "patch", "head", "options")
_WORDS = {
    "type",
    "enum",
    "format",
    "default",
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "pattern",
    "const",
}
_PLACES = ("path", "query", "header")


class DescriptionError(ValueError):
    """The description cannot be used; the message is a sentence."""


@dataclass(frozen=True)
class Parameter:
    """Something that an operation takes in its address or a header. `key` is what the model calls it."""

    key: str
    name: str
    place: str
    required: bool
    schema: dict[str, Any]


@dataclass(frozen=True)
class Operation:
    """A call that an API offers."""

    name: str
    title: str
    method: str
    path: str
    parameters: tuple[Parameter, ...]
    body: dict[str, Any] | None
    body_type: str
    body_required: bool

    @property
    def reads(self) -> bool:
        """Whether it only reads."""
        return self.method in {"GET", "HEAD", "OPTIONS"}


class _Alias(Exception):
    """The description uses an alias."""


class _Loader(yaml.SafeLoader):
    """No aliases: with a few of them (or merges with <<) a short text unfolds to more than any memory holds."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise _Alias
        return super().compose_node(parent, index)


def read(text: str) -> dict[str, Any]:
    """The description in JSON or YAML. Raises `DescriptionError`."""
    if len(text) > MOST_CHARACTERS:
        raise DescriptionError(f"The description has {len(text):,} characters; {MOST_CHARACTERS:,} are the most.")
    try:
        found = json.loads(text) if text.lstrip().startswith("{") else yaml.load(text, Loader=_Loader)  # noqa: S506 -- safe, and less
    except _Alias:
        raise DescriptionError(
            "The description refers from one place to another with *, which is not read. Use $ref, or JSON."
        ) from None
    except (ValueError, yaml.YAMLError, RecursionError):
        raise DescriptionError("The description is neither JSON nor YAML that can be read.") from None
    if not isinstance(found, dict) or not str(found.get("openapi") or "").startswith("3."):
        raise DescriptionError(
            "This is not an OpenAPI description of version 3. It begins with a line like “openapi: 3.1.0”."
        )
    if not isinstance(found.get("paths"), dict) or not found["paths"]:
        raise DescriptionError("The description names no paths.")
    return found


def server(description: Mapping[str, Any]) -> str:
    """The address before every path, as the description gives it; "" for none."""
    servers = description.get("servers")
    first = servers[0] if isinstance(servers, list) and servers and isinstance(servers[0], dict) else {}
    url, variables = str(first.get("url") or ""), first.get("variables")
    for name, given in (variables if isinstance(variables, dict) else {}).items():
        url = url.replace(f"{{{name}}}", str(given.get("default") or "") if isinstance(given, dict) else "")
    return url


def operations(description: Mapping[str, Any]) -> list[Operation]:
    """Every operation, in the order of the description, each with a name of its own."""
    names: dict[str, int] = {}
    found: list[Operation] = []
    for path, unread in description["paths"].items():
        item = _followed(description, unread)
        for method in _METHODS:
            if isinstance(item, dict) and isinstance(given := item.get(method), dict) and len(found) < MOST_OPERATIONS:
                name = _name(str(given.get("operationId") or f"{method} {path}"))
                names[name] = names.get(name, 0) + 1
                name = name if names[name] == 1 else f"{name[:60]}_{names[name]}"
                found.append(_operation(description, name, method, str(path), item, given))
    if not found:
        raise DescriptionError("The description names no operations.")
    return found


def _operation(
    root: Mapping[str, Any], name: str, method: str, path: str, item: Mapping[str, Any], given: Mapping[str, Any]
) -> Operation:
    parameters: dict[tuple[str, str], Parameter] = {}
    budget = [_MOST_NODES]
    for unread in [*_list(item.get("parameters")), *_list(given.get("parameters"))]:
        one = _followed(root, unread)
        if isinstance(one, dict) and one.get("in") in _PLACES and isinstance(one.get("name"), str):
            parameters[one["name"], one["in"]] = _parameter(root, one, {p.key for p in parameters.values()}, budget)
    body, body_type, body_required = _body(root, given.get("requestBody"), budget)
    title = " ".join(str(given.get("summary") or given.get("description") or f"{method.upper()} {path}").split())[:400]
    return Operation(name, title, method.upper(), path, tuple(parameters.values()), body, body_type, body_required)


def _parameter(root: Mapping[str, Any], given: Mapping[str, Any], taken: set[str], budget: list[int]) -> Parameter:
    content = given.get("content")
    media = next(iter(content.values()), None) if isinstance(content, dict) else given
    schema = _schema(root, media.get("schema") if isinstance(media, Mapping) else None, budget)
    if given.get("description") and "description" not in schema:
        schema["description"] = " ".join(str(given["description"]).split())[:300]
    key = _name(str(given["name"]))
    while key in taken or key == "body":
        key = f"{key[:60]}_"
    return Parameter(
        key, str(given["name"]), str(given["in"]), given["in"] == "path" or given.get("required") is True, schema
    )


def _body(root: Mapping[str, Any], given: Any, budget: list[int]) -> tuple[dict[str, Any] | None, str, bool]:
    given = _followed(root, given)
    content = given.get("content") if isinstance(given, dict) else None
    if not isinstance(content, dict) or not content:
        return None, "", False
    wanted = ("application/json", "application/x-www-form-urlencoded", "text/plain")
    kinds = {str(kind).partition(";")[0].strip().lower(): media for kind, media in content.items()}
    kind = next((one for one in wanted if one in kinds), next((one for one in kinds if one.endswith("+json")), ""))
    if not kind:
        return None, "", False
    media = kinds[kind]
    return (
        _schema(root, media.get("schema") if isinstance(media, dict) else None, budget),
        kind,
        given.get("required") is True,
    )


def _schema(root: Mapping[str, Any], given: Any, budget: list[int], depth: int = 0) -> dict[str, Any]:
    """A plain JSON Schema; where it would go too deep or too far, anything is taken."""
    budget[0] -= 1
    given = _followed(root, given)
    if not isinstance(given, dict) or depth > _DEEPEST or budget[0] < 0:
        return {}
    schema = {word: value for word, value in given.items() if word in _WORDS and _is_small(value)}
    if isinstance(given.get("description"), str):
        schema["description"] = " ".join(given["description"].split())[:300]
    if isinstance(given.get("properties"), dict):
        schema["properties"] = {
            str(name): _schema(root, one, budget, depth + 1)
            for name, one in given["properties"].items()
            if not _is_read_only(one)
        }
        schema["required"] = [name for name in _list(given.get("required")) if name in schema["properties"]]
        schema.setdefault("type", "object")
    if "items" in given:
        schema["items"] = _schema(root, given["items"], budget, depth + 1)
    for word in ("allOf", "anyOf", "oneOf"):
        if parts := [_schema(root, one, budget, depth + 1) for one in _list(given.get(word))[:20]]:
            schema[word] = parts
    if given.get("nullable") is True and isinstance(schema.get("type"), str):
        schema["type"] = [schema["type"], "null"]
        schema.pop("enum", None)
    if isinstance(schema.get("pattern"), str):
        schema.pop("pattern")  # other people's patterns may take for ever; the API itself checks
    return schema


def _is_read_only(given: Any) -> bool:
    return isinstance(given, dict) and given.get("readOnly") is True


def _is_small(value: Any) -> bool:
    return len(str(value)[:2_001]) <= 2_000


def _followed(root: Mapping[str, Any], given: Any) -> Any:
    """What a reference points to inside the description; references to elsewhere are not followed."""
    for _ in range(10):
        if not isinstance(given, dict) or not isinstance(given.get("$ref"), str):
            return given
        given = _at(root, given["$ref"])
    return {}


def _at(root: Any, reference: str) -> Any:
    if not reference.startswith("#/"):
        return {}
    for step in _steps(reference):
        root = root.get(step) if isinstance(root, dict) else None
    return root


def _steps(reference: str) -> Iterator[str]:
    for step in reference[2:].split("/"):
        yield step.replace("~1", "/").replace("~0", "~")


def _list(given: Any) -> list[Any]:
    return given if isinstance(given, list) else []


def _name(text: str) -> str:
    """A name as models take it: letters, digits and underscores."""
    return re.sub(r"[^A-Za-z0-9]+", "_", text).strip("_")[:64] or "call"

"""Translates text through a translation service of the department's choice."""

from __future__ import annotations

import re
from functools import partial
from typing import Any

from integrations.tools.base import OpenConnection, Setup, Tool, function
from integrations.tools.calling import ask
from integrations.tools.wording import needed, shortened
from mindloom.engine.ports import ToolContext, ToolError, ToolFunction

MOST_CHARACTERS = 20_000
SECONDS = 60.0
_CODE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z]{2,8})?")


def _translate(connection: OpenConnection | None, arguments: dict[str, Any], context: ToolContext) -> str:
    assert connection is not None
    text = needed(arguments, "text", "what to translate", MOST_CHARACTERS)
    source, target = _code(arguments.get("source") or "auto"), _code(arguments["target"])
    asked = {"q": text, "source": source, "target": target, "format": "text"}
    key = connection.values.get("api_key")
    found = ask("The translation service", _address(connection, "translate"), method="POST",
                json=asked | ({"api_key": key} if key else {}), seconds=SECONDS)  # fmt: skip
    translated = found.get("translatedText") if isinstance(found, dict) else None
    if not isinstance(translated, str):
        raise ToolError("The translation service did not answer with a translation.")
    return translated


def _languages(connection: OpenConnection | None, arguments: dict[str, Any], context: ToolContext) -> str:
    assert connection is not None
    found = ask("The translation service", _address(connection, "languages"))
    if not isinstance(found, list):
        raise ToolError("The translation service did not answer with its languages.")
    names = [
        f"{shortened(one.get('code'), 12)} ({shortened(one.get('name'), 40)})" for one in found if isinstance(one, dict)
    ]
    return f"Languages: {', '.join(names[:200])}"


def _address(connection: OpenConnection, path: str) -> str:
    return f"{connection.values['base_url'].rstrip('/')}/{path}"


def _code(given: object) -> str:
    code = str(given).strip()
    if code != "auto" and not _CODE.fullmatch(code):
        raise ToolError(f"“{shortened(code, 30)}” is not the code of a language. Write it like en or de.")
    return code


def _functions(setup: Setup) -> list[ToolFunction]:
    return [
        function(
            "translate_text",
            "Translate text into another language.",
            {
                "text": {"type": "string", "description": "What to translate"},
                "target": {"type": "string", "description": "The code of the language to translate into, such as de"},
                "source": {"type": "string", "description": "The code of the text's language; recognised when left out"},
            },
            partial(_translate, setup.connection),
            required=("text", "target"),
        ),
        function("translation_languages", "List the languages that can be translated.", {}, partial(_languages, setup.connection), required=()),
    ]  # fmt: skip


TOOL = Tool(
    key="translate",
    name="Translate",
    description="Translates text with the translation service of a connection.",
    icon="languages",
    effect="reads",
    functions=_functions,
    connection="translate",
)

"""Asks a person. Nothing is called: the run waits, and the person's words are the result."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from integrations.tools.base import Setup, Tool, function
from mindloom.engine.ports import ToolContext, ToolError, ToolFunction

MOST_CHARACTERS = 2_000


def _unasked(arguments: dict[str, Any], context: ToolContext) -> str:
    raise ToolError("A person answers this; it cannot be done without one.")


def _functions(setup: Setup) -> list[ToolFunction]:
    asked = function(
        "ask_person",
        "Ask the person who started the run, and wait for the answer. Use it when you cannot go on without knowing or deciding something.",
        {
            "question": {
                "type": "string",
                "minLength": 1,
                "maxLength": MOST_CHARACTERS,
                "description": "One clear question, with what the person needs to know to answer it",
            }
        },
        _unasked,
        required=("question",),
    )
    return [replace(asked, asks="answer")]


TOOL = Tool(
    key="hand_over",
    name="Ask a person",
    description="Hands a question over to a person and goes on with the answer.",
    icon="hand",
    effect="reads",
    functions=_functions,
)

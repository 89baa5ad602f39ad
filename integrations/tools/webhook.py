"""Posts a message to the webhook of a connection."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

from integrations.tools.base import OpenConnection, Setup, Tool, function
from integrations.tools.calling import call, good, reason
from integrations.tools.probes import secret_header
from integrations.tools.wording import needed
from mindloom.engine.ports import ToolContext, ToolError, ToolFunction

MOST_CHARACTERS = 20_000


def _post(connection: OpenConnection | None, arguments: dict[str, Any], context: ToolContext) -> str:
    assert connection is not None
    text = needed(arguments, "text", "the message", MOST_CHARACTERS)
    fields = arguments.get("fields") or {}
    if len(json.dumps(fields)) > MOST_CHARACTERS:
        raise ToolError(f"`fields` is larger than {MOST_CHARACTERS:,} characters.")
    values = connection.values
    answer = good(
        f"The webhook “{connection.name}”",
        call(
            values["url"],
            method="POST",
            json={**fields, "text": text},
            headers=secret_header(values),
            max_bytes=100_000,
        ),
    )
    said = reason(answer)
    return f"Posted to “{connection.name}” (HTTP {answer.status}).{f' It said: {said}' if said else ''}"


def _functions(setup: Setup) -> list[ToolFunction]:
    return [
        function(
            "post_to_webhook",
            "Post a message to the webhook that was set up, such as a chat's channel.",
            {
                "text": {"type": "string", "description": "The message"},
                "fields": {
                    "type": "object",
                    "description": "More fields of the JSON object that is posted, if the receiver wants them",
                },
            },
            partial(_post, setup.connection),
            required=("text",),
            effect="sends",
        )
    ]


TOOL = Tool(
    key="webhook",
    name="Post to a webhook",
    description="Posts messages to a chat or another system that takes them.",
    icon="webhook",
    effect="sends",
    functions=_functions,
    connection="webhook",
    ask_first="on",
)

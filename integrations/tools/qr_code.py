"""Makes QR codes."""

from __future__ import annotations

import io
from typing import Any

import segno

from integrations.tools.base import Setup, Tool, function
from integrations.tools.wording import file_name, needed
from mindloom.engine.ports import ToolContext, ToolError, ToolFunction

MOST_CHARACTERS = 1_500
_TYPES = {"svg": "image/svg+xml", "png": "image/png"}


def _make(arguments: dict[str, Any], context: ToolContext) -> str:
    content = needed(arguments, "holds", "what the code holds", MOST_CHARACTERS)
    form = str(arguments.get("format") or "png")
    try:
        code = segno.make_qr(content, error="m")
    except segno.DataOverflowError:
        raise ToolError("This is too much for a QR code. Take less, such as a link to it.") from None
    drawn = io.BytesIO()
    code.save(drawn, kind=form, scale=10, border=4, **({"title": "QR code", "xmldecl": False} if form == "svg" else {}))
    saved = context.save_artifact(
        file_name(str(arguments["name"]), f".{form}", "qr-code"), drawn.getvalue(), _TYPES[form]
    )
    return f"Saved {saved.name}: a QR code of version {code.version} that holds {len(content):,} characters."


def _functions(setup: Setup) -> list[ToolFunction]:
    return [
        function(
            "save_qr_code",
            "Make a QR code as a picture, so that the person can download it.",
            {
                "name": {"type": "string", "description": "The file's name"},
                "holds": {
                    "type": "string",
                    "description": "What the code holds, such as an address beginning with https://",
                },
                "format": {"type": "string", "enum": list(_TYPES)},
            },
            _make,
            required=("name", "holds"),
            effect="writes",
        )
    ]


TOOL = Tool(
    key="qr_code",
    name="QR codes",
    description="Makes QR codes as pictures.",
    icon="qr-code",
    effect="writes",
    functions=_functions,
)

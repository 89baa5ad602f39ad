"""Saves a file that people can download from the run."""

from __future__ import annotations

import csv
import io
import json
import re
from typing import Any

from integrations.tools.base import Setup, Tool, function
from mindloom.engine.ports import ToolContext, ToolError, ToolFunction

FORMATS = {
    "markdown": (".md", "text/markdown"),
    "text": (".txt", "text/plain"),
    "csv": (".csv", "text/csv"),
    "json": (".json", "application/json"),
    "html": (".html", "text/html"),
}
_LONGEST_NAME = 100


def _save(arguments: dict[str, Any], context: ToolContext) -> str:
    form, content = str(arguments.get("format") or "markdown"), str(arguments["content"])
    if form not in FORMATS:
        raise ToolError(f"Files can be saved as {', '.join(FORMATS)}.")
    if not content.strip():
        raise ToolError("There is nothing to save: the content is empty.")
    if form == "json":
        content = _pretty_json(content)
    elif form == "csv" and not any(csv.reader(io.StringIO(content))):
        raise ToolError("The content has no rows.")
    extension, media_type = FORMATS[form]
    saved = context.save_artifact(
        _file_name(str(arguments["name"]), extension), content.encode(errors="replace"), media_type
    )
    return f"Saved {saved.name} ({saved.size_bytes:,} bytes). The person can download it from the run."


def _pretty_json(content: str) -> str:
    try:
        return json.dumps(json.loads(content), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError) as error:
        raise ToolError(f"The content is not JSON: {str(error)[:200]}.") from None


def _file_name(name: str, extension: str) -> str:
    """A safe name with the format's extension."""
    stem = re.sub(r"[^\w .()-]+", "-", name.rsplit("/", 1)[-1].rsplit("\\", 1)[-1]).strip(" .-")
    stem = re.sub(r"\.(md|txt|csv|json|html?|markdown)$", "", stem, flags=re.IGNORECASE)[:_LONGEST_NAME].strip(" .-")
    return f"{stem or 'result'}{extension}"


def _functions(setup: Setup) -> list[ToolFunction]:
    return [
        function(
            "save_artifact",
            "Save a file with the finished result, so that the person can download it.",
            {
                "name": {"type": "string", "description": "The file's name, such as campaign-brief"},
                "content": {"type": "string", "description": "The whole content"},
                "format": {"type": "string", "enum": list(FORMATS)},
            },
            _save,
            required=("name", "content"),
            effect="writes",
        )
    ]


TOOL = Tool(
    key="artifact",
    name="Save files",
    description="Saves results as files: Markdown, text, CSV, JSON or HTML.",
    icon="file-down",
    effect="writes",
    functions=_functions,
)

"""How tools read arguments and write results: short, safe, the same everywhere."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

from mindloom.engine.ports import ToolError


def shortened(text: object, most: int = 300) -> str:
    """The text in one line, cut with an ellipsis."""
    line = " ".join(str(text or "").split())
    return line if len(line) <= most else f"{line[: most - 1].rstrip()}…"


def cut(text: str, most: int, what: str = "The text") -> str:
    """The text, cut with a note that says how long it is."""
    return text if len(text) <= most else f"{text[:most]}\n\n[Cut here: {what.lower()} has {len(text):,} characters.]"


def needed(arguments: dict[str, Any], name: str, what: str, most: int = 1_000) -> str:
    """A text that must be there and not too long."""
    text = str(arguments.get(name) or "").strip()
    if not text:
        raise ToolError(f"Say {what} in `{name}`.")
    if len(text) > most:
        raise ToolError(f"`{name}` has {len(text):,} characters; {most:,} are the most.")
    return text


def whole(arguments: dict[str, Any], name: str, default: int, most: int) -> int:
    """A whole number from 1 to `most`."""
    return min(max(int(arguments.get(name) or default), 1), most)


def limit(most: int, default: int) -> dict[str, Any]:
    """The schema of the parameter that says how many."""
    return {"type": "integer", "minimum": 1, "maximum": most, "description": f"How many; {default} when left out"}


def file_name(name: str, extension: str, fallback: str = "result") -> str:
    """A safe name with the extension, whatever path or extension was given."""
    stem = re.sub(r"[^\w .()-]+", "-", name.rsplit("/", 1)[-1].rsplit("\\", 1)[-1]).strip(" .-")
    stem = re.sub(r"\.(md|txt|csv|json|html?|markdown|pdf|xlsx?|svg|png|ics|vcf)$", "", stem, flags=re.IGNORECASE)
    return f"{stem[:100].strip(' .-') or fallback}{extension}"


def moment(text: str) -> dt.datetime | dt.date:
    """A date, or a date with a time. Raises `ToolError`."""
    text = text.strip()
    try:
        return dt.date.fromisoformat(text) if len(text) == 10 else dt.datetime.fromisoformat(text)
    except ValueError:
        raise ToolError(
            f"“{shortened(text, 40)}” is not a date or time. Write 2026-11-30, or 2026-11-30T14:00 with a time."
        ) from None

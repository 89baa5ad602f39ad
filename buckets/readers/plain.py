"""Plain text, Markdown and JSON; and how bytes become text."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from charset_normalizer import from_bytes

from buckets.readers.parts import Part, Refused

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SAMPLE = 200_000
_HEADING = re.compile(r"^(#{1,6})\s+(.+?)\s*#*$")
_FENCE = re.compile(r"^\s*(```|~~~)")
DEEPEST = 60


def decoded(data: bytes) -> str:
    """The text of bytes: by their mark, as UTF-8, or as the encoding that fits best. Raises `Refused` when none does."""
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return data.decode(encoding, "replace")
    try:
        return data.decode()
    except UnicodeDecodeError:
        pass
    if len(data) > 1 and data[1::2].count(0) > len(data) * 0.2:
        return data.decode("utf-16-le", "replace")
    best = from_bytes(data[:_SAMPLE]).best()
    if best is None:
        raise Refused("The encoding of the text cannot be told. Save it as UTF-8 and add it again.")
    return data.decode(best.encoding, "replace")


def read_text(path: Path) -> Iterator[Part]:
    """The whole text; it has no structure but its paragraphs."""
    yield Part(decoded(path.read_bytes()))


def read_markdown(path: Path) -> Iterator[Part]:
    """A part for each section, with the headings above it."""
    yield from markdown_parts(decoded(path.read_bytes()))


def markdown_parts(text: str) -> Iterator[Part]:
    """The sections of Markdown text. What looks like a heading inside a block of code is none."""
    above: list[tuple[int, str]] = []
    lines: list[str] = []
    in_code = False
    for line in text.splitlines():
        in_code ^= bool(_FENCE.match(line))
        found = None if in_code else _HEADING.match(line)
        if found:
            yield Part("\n".join(lines), heading=trail(above))
            above, lines = [*(one for one in above if one[0] < len(found[1])), (len(found[1]), found[2])], []
        else:
            lines.append(line)
    yield Part("\n".join(lines), heading=trail(above))


def trail(above: list[tuple[int, str]]) -> str:
    """Headings as a path."""
    return " › ".join(title for _, title in above)


def read_json(path: Path) -> Iterator[Part]:
    """A line for each value, with the path to it; a list at the top is a part for each of its items."""
    text = decoded(path.read_bytes())
    try:
        value: Any = json.loads(text)
    except RecursionError:
        raise Refused("The JSON is nested too deep to be read. Flatten it, or add it as plain text.") from None
    except ValueError:
        yield from _json_lines(text)
        return
    items = value if isinstance(value, list) else [value]
    for number, item in enumerate(items, start=1):
        label = f"item {number}" if isinstance(value, list) else ""
        yield Part("\n".join(_flat(item, "", 0)), label=label)


def _json_lines(text: str) -> Iterator[Part]:
    """One JSON value a line; what is none of it is plain text."""
    values = []
    for line in filter(str.strip, text.splitlines()):
        try:
            values.append(json.loads(line))
        except (ValueError, RecursionError):
            yield Part(text)
            return
    for number, value in enumerate(values, start=1):
        yield Part("\n".join(_flat(value, "", 0)), label=f"line {number}")


def _flat(value: Any, path: str, depth: int) -> Iterator[str]:
    if depth > DEEPEST:
        raise Refused(f"The JSON is nested deeper than {DEEPEST} levels. Flatten it, or add it as plain text.")
    if isinstance(value, dict):
        for name, one in value.items():
            yield from _flat(one, f"{path}.{name}" if path else str(name), depth + 1)
    elif isinstance(value, list):
        for one in value:
            yield from _flat(one, path, depth + 1)
    elif value is not None and value != "":
        yield f"{path}: {value}" if path else str(value)

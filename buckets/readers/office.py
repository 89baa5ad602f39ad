"""Word documents, by their headings; tables become lines that name their columns."""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docx
from docx.opc.exceptions import PackageNotFoundError
from docx.table import Table
from lxml import etree

from buckets.readers.parts import Part, Refused
from buckets.readers.plain import trail
from buckets.readers.tables import rows_as_parts

_LEVEL = re.compile(r"heading (\d)", re.IGNORECASE)
DAMAGED = "The document is damaged. Open it, save it again as DOCX, and add it anew."


def read_docx(path: Path) -> Iterator[Part]:
    """A part for each section and each table."""
    try:
        document = docx.Document(str(path))
        yield from _sections(document)
    except (
        PackageNotFoundError,
        KeyError,
        ValueError,
        AttributeError,
        zipfile.BadZipFile,
        zlib.error,
        etree.XMLSyntaxError,
    ):
        raise Refused(DAMAGED) from None


def _sections(document: Any) -> Iterator[Part]:
    above: list[tuple[int, str]] = []
    lines: list[str] = []
    for block in document.iter_inner_content():
        if isinstance(block, Table):
            yield Part("\n\n".join(lines), heading=trail(above))
            lines = []
            rows = ([cell.text for cell in _once(row.cells)] for row in block.rows)
            yield from rows_as_parts(rows, trail(above))
            continue
        level = _level(block)
        text = block.text.strip()
        if level and text:
            yield Part("\n\n".join(lines), heading=trail(above))
            above, lines = [*(one for one in above if one[0] < level), (level, text)], []
        elif text:
            lines.append(f"- {text}" if _is_item(block) else text)
    yield Part("\n\n".join(lines), heading=trail(above))


def _once(cells: Any) -> Iterator[Any]:
    """The cells of a row; one that spans several columns is given for each of them."""
    before = None
    for cell in cells:
        if cell._tc is not before:  # noqa: SLF001 -- python-docx has no other way to tell
            yield cell
        before = cell._tc  # noqa: SLF001


def _level(paragraph: Any) -> int:
    name = (paragraph.style.name if paragraph.style is not None else "") or ""
    if name.lower() == "title":
        return 1
    found = _LEVEL.match(name)
    return int(found[1]) if found else 0


def _is_item(paragraph: Any) -> bool:
    name = (paragraph.style.name if paragraph.style is not None else "") or ""
    return name.lower().startswith("list")

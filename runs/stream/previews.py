"""A look at a file of a run without downloading it. Nothing that a browser could run is ever given to it as what it claims to be."""

from __future__ import annotations

import csv
import io
import json
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pypdf import PdfReader

from runs.models import PICTURES
from runs.stream.files import opened
from runs.worker import seen_in

if TYPE_CHECKING:
    from runs.models import RunArtifact

logger = logging.getLogger(__name__)

TEXT_CHARS = 200_000
LARGEST_TEXT = 2 * 1024 * 1024
LARGEST_PICTURE = 20 * 1024 * 1024
LARGEST_PDF = 20 * 1024 * 1024
ROWS, COLUMNS, CELL = 200, 40, 400
PAGES = 3
READ_AT_ONCE = 256 * 1024
_SOURCES = ("html", "svg", "xml")


@dataclass(frozen=True, kw_only=True)
class Preview:
    """What the page shows: `kind` is text, markdown, table, source, picture, pages or none; `note` says what is left out, or why."""

    kind: str
    text: str = ""
    header: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    pages: list[str] = field(default_factory=list)
    note: str = ""


def preview_of(artifact: RunArtifact) -> Preview:
    """The file's preview, bounded whatever is in it. Raises `Unavailable` when the storage does not give it."""
    if not artifact.size_bytes:
        return Preview(kind="none", note="The file is empty.")
    file, first = opened(artifact)
    with file:
        seen = seen_in(first)
        if seen in PICTURES:
            return _picture(artifact)
        if seen == "application/pdf":
            return _pdf(artifact, first + file.read(LARGEST_PDF) if artifact.size_bytes <= LARGEST_PDF else b"")
        is_json = _is(artifact, "json", ".json") and artifact.size_bytes <= LARGEST_TEXT
        beginning = first + file.read(LARGEST_TEXT) if is_json else first
    return _written(artifact, beginning, is_json=is_json, is_archive=bool(seen))


def _written(artifact: RunArtifact, beginning: bytes, *, is_json: bool, is_archive: bool) -> Preview:
    text = None if is_archive else _text(beginning, whole=artifact.size_bytes <= len(beginning))
    if text is None:
        return Preview(
            kind="none",
            note=f"There is no preview of files of this type ({artifact.media_type}). Download it to open it.",
        )
    if is_json:
        return _json(text)
    return _table(artifact, text) if _is(artifact, "csv", ".csv") else _words(artifact, text)


def _picture(artifact: RunArtifact) -> Preview:
    if artifact.size_bytes > LARGEST_PICTURE:
        return _too_big(artifact, LARGEST_PICTURE)
    return Preview(kind="picture")


def _pdf(artifact: RunArtifact, content: bytes) -> Preview:
    if not content:
        return _too_big(artifact, LARGEST_PDF)
    try:
        reader = PdfReader(io.BytesIO(content))
        count = len(reader.pages)
        pages = [reader.pages[number].extract_text().strip()[:TEXT_CHARS] for number in range(min(count, PAGES))]
    except Exception as error:  # noqa: BLE001 -- the library raises what it meets in a broken file
        logger.info("No preview of artifact %s: %s", artifact.pk, error)
        return Preview(
            kind="none", note="This PDF can't be read here: it is damaged, locked or unusual. Download it to open it."
        )
    if not any(pages):
        return Preview(
            kind="none", note="The first pages of this PDF hold no text, only pictures. Download it to see them."
        )
    shown = f"the first {PAGES} of {count} pages" if count > PAGES else f"{count} page{'' if count == 1 else 's'}"
    return Preview(
        kind="pages", pages=pages, note=f"The text of {shown}. Download the file to see it as it is laid out."
    )


def _json(text: str) -> Preview:
    try:
        pretty = json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return _cut("text", text, "The file says it is JSON but is not, so it is shown as it is.")
    return _cut("text", pretty)


def _table(artifact: RunArtifact, text: str) -> Preview:
    if artifact.size_bytes > READ_AT_ONCE:
        text = text.rpartition("\n")[0] or text
    rows: list[list[str]] = []
    sample = text[:4096]
    separator = max(",;\t|", key=sample.partition("\n")[0].count)
    try:
        for row in csv.reader(io.StringIO(text.removeprefix("\ufeff")), delimiter=separator):
            if row:
                rows.append([cell[:CELL] for cell in row[:COLUMNS]])
            if len(rows) > ROWS + 1:
                break
    except csv.Error:
        return _words(artifact, text)
    if not rows:
        return Preview(kind="none", note="The table has no rows.")
    cut = len(rows) > ROWS + 1 or artifact.size_bytes > READ_AT_ONCE
    width = max(len(row) for row in rows)
    even = [row + [""] * (width - len(row)) for row in rows]
    note = f"The first {min(len(rows) - 1, ROWS)} rows. Download the file for all of it." if cut else ""
    return Preview(kind="table", header=even[0], rows=even[1 : ROWS + 1], note=note)


def _words(artifact: RunArtifact, text: str) -> Preview:
    if _is(artifact, "markdown", ".md"):
        return _cut("markdown", text, whole=artifact.size_bytes <= READ_AT_ONCE)
    if any(word in artifact.media_type for word in _SOURCES):
        return _cut("source", text, "Shown as source: pages and drawings that a run made are not opened here.")
    return _cut("text", text, whole=artifact.size_bytes <= READ_AT_ONCE)


def _cut(kind: str, text: str, note: str = "", *, whole: bool = True) -> Preview:
    if len(text) > TEXT_CHARS or not whole:
        text, note = text[:TEXT_CHARS], f"{note} Only the beginning is shown. Download the file for all of it.".strip()
    return Preview(kind=kind, text=text, note=note)


def _too_big(artifact: RunArtifact, limit: int) -> Preview:
    return Preview(
        kind="none",
        note=f"With {artifact.size_bytes:,} bytes the file is too big to be shown here ({limit:,} are). Download it to open it.",
    )


def _text(beginning: bytes, *, whole: bool) -> str | None:
    """The beginning as text, or None when it is none."""
    if b"\x00" in beginning:
        return None
    try:
        return beginning.decode()
    except UnicodeDecodeError as error:
        # The last letter may be cut in two.
        return beginning[: error.start].decode() if not whole and error.start >= len(beginning) - 3 else None


def _is(artifact: RunArtifact, word: str, extension: str) -> bool:
    return word in artifact.media_type or (
        artifact.media_type == "text/plain" and artifact.name.lower().endswith(extension)
    )

"""Tables: CSV and Excel. A row becomes a line that names its columns, so that a passage can be understood alone."""

from __future__ import annotations

import csv
import io
import warnings
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import openpyxl  # type: ignore[import-untyped]
from openpyxl.utils.exceptions import InvalidFileException  # type: ignore[import-untyped]

from buckets.readers.parts import Part, Refused
from buckets.readers.plain import decoded

ROWS_IN_PART = 20
MOST_ROWS = 1_000_000
LONGEST_CELL = 32_000
_SNIFFED = 20_000


def read_csv(path: Path) -> Iterator[Part]:
    """The rows by `ROWS_IN_PART`. The first row names the columns."""
    text = decoded(path.read_bytes())
    csv.field_size_limit(10_000_000)
    try:
        dialect: Any = csv.Sniffer().sniff(text[:_SNIFFED], delimiters=",;\t|")
    except csv.Error:
        dialect = csv.excel_tab if "\t" in text[:_SNIFFED] else csv.excel
    try:
        yield from rows_as_parts(csv.reader(io.StringIO(text, newline=""), dialect), "")
    except csv.Error as error:
        raise Refused(
            f"The table cannot be read ({error}). Save it again as CSV with quotation marks around texts."
        ) from None


def read_xlsx(path: Path) -> Iterator[Part]:
    """The rows of every sheet, as values: formulas are what they were worked out to."""
    try:
        with path.open("rb") as file, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what openpyxl leaves out is no text
            book = openpyxl.load_workbook(file, read_only=True, data_only=True, keep_links=False)
            for sheet in book.worksheets:
                yield from rows_as_parts(sheet.iter_rows(values_only=True), sheet.title)
    except (
        InvalidFileException,
        KeyError,
        ValueError,
        TypeError,
        AttributeError,
        IndexError,
        SyntaxError,
        BadZipFile,
        zlib.error,
    ) as error:
        raise Refused(
            f"The workbook is damaged ({type(error).__name__}). Open it, save it again as XLSX, and add it anew."
        ) from None


def rows_as_parts(rows: Iterable[Iterable[Any]], sheet: str) -> Iterator[Part]:
    """Lines such as “Name: Tea · Price: 4”, some to a part."""
    names: list[str] | None = None
    lines: list[str] = []
    first = last = 0
    for number, row in enumerate(rows, start=1):
        if number > MOST_ROWS:
            raise Refused(f"The table has more than {MOST_ROWS:,} rows. Split it and add the parts.")
        cells = [_cell(value) for value in row]
        if not any(cells):
            continue
        if names is None:
            names = cells
            continue
        first, last = first or number, number
        lines.append(_line(names, cells))
        if len(lines) == ROWS_IN_PART:
            yield _part(lines, first, last, sheet)
            lines, first = [], 0
    if lines:
        yield _part(lines, first, last, sheet)
    elif names is not None and not last:  # one row only: no names, but what there is
        yield Part(" · ".join(filter(None, names)), label="row 1", heading=sheet)


def _part(lines: list[str], first: int, last: int, sheet: str) -> Part:
    return Part("\n".join(lines), label=f"rows {first}–{last}" if last > first else f"row {first}", heading=sheet)


def _line(names: list[str], cells: list[str]) -> str:
    named = ((names[place] if place < len(names) else "", cell) for place, cell in enumerate(cells))
    return " · ".join(f"{name}: {cell}" if name else cell for name, cell in named if cell)


def _cell(value: Any) -> str:
    return "" if value is None else " ".join(str(value)[:LONGEST_CELL].split())

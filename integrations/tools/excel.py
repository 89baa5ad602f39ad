"""Makes Excel files, and reads those that can be downloaded."""

from __future__ import annotations

import datetime as dt
import io
import re
import zipfile
from collections.abc import Sequence
from itertools import islice
from typing import Any

from integrations.tools.base import Setup, Tool, function
from integrations.tools.calling import call, good
from integrations.tools.csv_table import as_number, markdown, read
from integrations.tools.wording import file_name, limit, needed, shortened, whole
from mindloom.engine.ports import ToolContext, ToolError, ToolFunction

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MOST_SHEETS = 20
MOST_CELLS = 200_000
MOST_BYTES = 10_000_000
MOST_UNPACKED = 60_000_000
_MOST_ROWS, _DEFAULT_ROWS, _MOST_COLUMNS = 500, 100, 60
_WIDEST = 60
_UNWRITABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_PLAIN = re.compile(r"-?(?:0|[1-9]\d{0,14})(?:[.,]\d+)*")


def _save(arguments: dict[str, Any], context: ToolContext) -> str:
    from openpyxl import Workbook  # type: ignore[import-untyped]  # large, and only needed here

    book, cells, titles = Workbook(), 0, []
    book.remove(book.active)
    for number, given in enumerate(arguments["sheets"], 1):
        table = read(str(given["csv_text"]))
        cells += len(table.columns) * (len(table.rows) + 1)
        if cells > MOST_CELLS:
            raise ToolError(f"The sheets have more than {MOST_CELLS:,} cells. Leave some out.")
        title = (
            re.sub(r"[\[\]:*?/\\\x00-\x1f]", " ", str(given.get("title") or "")).strip(" '")[:31] or f"Sheet {number}"
        )
        titles.append(title)
        _fill(book.create_sheet(title), table.columns, table.rows)
    content = io.BytesIO()
    book.save(content)
    saved = context.save_artifact(file_name(str(arguments["name"]), ".xlsx"), content.getvalue(), MEDIA_TYPE)
    return f"Saved {saved.name} with {len(titles)} {'sheet' if len(titles) == 1 else 'sheets'}: {', '.join(titles)}."


def _fill(sheet: Any, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from openpyxl.styles import Alignment, Font, PatternFill  # type: ignore[import-untyped]  # as above
    from openpyxl.utils import get_column_letter  # type: ignore[import-untyped]

    for place, name in enumerate(columns, 1):
        cell = _text(sheet.cell(1, place), name)
        cell.font, cell.fill = Font(bold=True), PatternFill("solid", fgColor="ECEBFB")
        cell.alignment = Alignment(vertical="center", wrap_text=True)
        widest = max((len(row[place - 1]) for row in rows[:1_000]), default=0)
        sheet.column_dimensions[get_column_letter(place)].width = min(max(len(name), widest, 6) + 2, _WIDEST)
    for line, row in enumerate(rows, 2):
        for place, text in enumerate(row, 1):
            _value(sheet.cell(line, place), text)
    sheet.freeze_panes = "A2"
    sheet.auto_filter.ref = f"A1:{get_column_letter(len(columns))}{len(rows) + 1}"


def _value(cell: Any, text: str) -> None:
    """Numbers and dates as such; everything else as text, what begins like a formula, too."""
    if _PLAIN.fullmatch(text) and (number := as_number(text)) is not None and abs(number) < 10**15:
        cell.value = int(number) if number == number.to_integral_value() else float(number)
    elif re.fullmatch(r"\d{4}-\d{2}-\d{2}", text) and (day := _day(text)):
        cell.value, cell.number_format = day, "yyyy-mm-dd"
    else:
        _text(cell, text)


def _text(cell: Any, text: str) -> Any:
    cell.value = _UNWRITABLE.sub("", text)[:32_000]
    if cell.value is not None:
        cell.data_type = "s"  # else a text that begins with = would be a formula
    return cell


def _day(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        return None


def _read(arguments: dict[str, Any], context: ToolContext) -> str:
    url = needed(arguments, "file_url", "which file to read", 2_000)
    content = good("The file’s site", call(url, max_bytes=MOST_BYTES)).body
    book = _opened(content)
    names = [str(sheet.title) for sheet in book.worksheets]
    wanted = str(arguments.get("sheet") or (names or [""])[0]).strip().lower()
    sheet = next((one for one in book.worksheets if str(one.title).lower() == wanted), None)
    if sheet is None:
        raise ToolError(
            f"There is no sheet “{shortened(wanted, 60)}”. The sheets are: {', '.join(names)[:500] or 'none'}."
        )
    return _shown(sheet, names, whole(arguments, "limit", _DEFAULT_ROWS, _MOST_ROWS))


def _opened(content: bytes) -> Any:
    from openpyxl import load_workbook  # as above

    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            unpacked = sum(entry.file_size for entry in packed.infolist())
        if unpacked <= MOST_UNPACKED:
            return load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
    except Exception:  # noqa: BLE001 -- a library reads somebody else's file: whatever it stumbles over, it is no workbook
        raise ToolError(
            "This is not an Excel file (.xlsx) that can be read. Old .xls files are not supported."
        ) from None
    raise ToolError(f"The file unpacks to {unpacked:,} bytes; {MOST_UNPACKED:,} are the most.")


def _shown(sheet: Any, names: list[str], most: int) -> str:
    sheet.reset_dimensions()
    try:
        lines = islice(sheet.iter_rows(values_only=True, max_col=_MOST_COLUMNS), most * 20)
        rows = list(
            islice(
                ([_cell(value) for value in row] for row in lines if any(value is not None for value in row)), most + 2
            )
        )
    except Exception:  # noqa: BLE001 -- as above
        raise ToolError(f"The sheet “{sheet.title}” cannot be read: the file is damaged.") from None
    head = f"Sheets: {', '.join(names)[:500]}. Shown: {sheet.title}.\n\n"
    if not rows:
        return f"{head}The sheet is empty."
    width = max(place for row in rows for place, cell in enumerate(row, 1) if cell)
    rows = [(row + [""] * width)[:width] for row in rows]
    more = f"\n\nThere are more rows; the first {most} are shown." if len(rows) > most + 1 else ""
    return f"{head}{markdown(rows[0], rows[1 : most + 1])}{more}"


def _cell(value: object) -> str:
    if isinstance(value, dt.datetime) and value.time() == dt.time():
        return value.date().isoformat()
    return "" if value is None else shortened(value, 200)


def _functions(setup: Setup) -> list[ToolFunction]:
    sheet = {
        "type": "object",
        "properties": {
            "title": {"type": "string"},
            "csv_text": {"type": "string", "description": "The table as CSV with a header line"},
        },
        "required": ["csv_text"],
        "additionalProperties": False,
    }
    return [
        function(
            "save_excel",
            "Make an Excel file from tables, one a sheet, so that the person can download it.",
            {
                "name": {"type": "string", "description": "The file's name, such as expenses-october"},
                "sheets": {"type": "array", "items": sheet, "minItems": 1, "maxItems": MOST_SHEETS},
            },
            _save,
            required=("name", "sheets"),
            effect="writes",
        ),
        function(
            "read_excel",
            "Download an Excel file (.xlsx) and return the rows of one sheet as a table.",
            {
                "file_url": {"type": "string", "description": "The file's address, beginning with https://"},
                "sheet": {"type": "string", "description": "The sheet's title; the first one when left out"},
                "limit": limit(_MOST_ROWS, _DEFAULT_ROWS),
            },
            _read,
            required=("file_url",),
        ),
    ]


TOOL = Tool(
    key="excel",
    name="Excel files",
    description="Makes Excel files from tables, and reads those that can be downloaded.",
    icon="file-spreadsheet",
    effect="writes",
    functions=_functions,
)

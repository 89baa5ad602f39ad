"""Reads tables in CSV: describes, sorts, adds up. Numbers are decimal, so money adds up exactly."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal, InvalidOperation, localcontext
from typing import Any

from integrations.tools.base import Setup, Tool, function
from mindloom.engine.ports import ToolContext, ToolError, ToolFunction

MOST_CHARACTERS = 2_000_000
MOST_ROWS = 50_000
MOST_COLUMNS = 1_000
MOST_CELLS = 2_000_000
"""Of the table as it is kept, where every row has a cell for every column."""
LONGEST_NUMBER = 60
MOST_SHOWN = 100
_TEXT = {"type": "string", "description": "The table as CSV with a header line"}
_NUMBER = re.compile(r"[-+−]?\d{1,3}(?:([ ,.'’\u00a0\u202f])\d{3})*(?:[.,]\d+)?|[-+−]?\d*[.,]?\d+")
_CENT = Decimal("0.01")
_EXACT = Context(prec=3 * LONGEST_NUMBER)
"""Exact for sums of numbers with that many digits before and after the point."""
_EMPTY = {"", "-", "–", "n/a", "na", "null", "none"}


@dataclass(frozen=True)
class Table:
    """A table as it was read; every row has a cell for every column."""

    columns: list[str]
    rows: list[list[str]]

    def place(self, name: str) -> int:
        """The position of a column, found without case. Raises `ToolError` that lists the columns."""
        wanted = name.strip().lower()
        for place, column in enumerate(self.columns):
            if column.lower() == wanted:
                return place
        raise ToolError(f"There is no column “{name[:60]}”. The columns are: {', '.join(self.columns)[:500]}.")

    def numbers(self, place: int) -> list[Decimal]:
        """The numbers of a column, without cells that hold none."""
        return [number for row in self.rows if (number := as_number(row[place])) is not None]


def read(text: str) -> Table:
    """The table in a CSV text, whichever of comma, semicolon, tab or bar separates it."""
    if len(text) > MOST_CHARACTERS:
        raise ToolError(f"The table has {len(text):,} characters; {MOST_CHARACTERS:,} are the most.")
    text = text.replace("\x00", "").lstrip("\ufeff").strip()
    first = text.partition("\n")[0]
    separator = max(",;\t|", key=first.count)
    csv.field_size_limit(MOST_CHARACTERS)
    try:
        rows = [
            row
            for row in csv.reader(io.StringIO(text), delimiter=separator, skipinitialspace=True)
            if any(map(str.strip, row))
        ]
    except csv.Error as error:
        raise ToolError(f"This is not readable as CSV: {error}.") from None
    if len(rows) < 2:
        raise ToolError("Give a table with a header line and at least one row.")
    if len(rows) > MOST_ROWS:
        raise ToolError(f"The table has {len(rows):,} rows; {MOST_ROWS:,} are the most.")
    columns = [name.strip() or f"column {place}" for place, name in enumerate(rows[0], 1)]
    width = len(columns)
    if width > MOST_COLUMNS or width * len(rows) > MOST_CELLS:
        raise ToolError(
            f"The table has {width:,} columns and {len(rows):,} rows; "
            f"{MOST_COLUMNS:,} columns and {MOST_CELLS:,} cells are the most."
        )
    return Table(columns, [[cell.strip() for cell in (row + [""] * width)[:width]] for row in rows[1:]])


def as_number(cell: str) -> Decimal | None:
    """The number in a cell, also "€1,234.50", "1.234,50 EUR", "(80.00)" and "12 %"; None when it holds none."""
    if len(cell) > LONGEST_NUMBER:
        return None  # the patterns below take longer the longer the text is, and no number is that long
    text = re.sub(r"(?i)^(?:[$€£¥]|EUR|USD|GBP|CHF)\s*|\s*(?:[$€£¥%]|EUR|USD|GBP|CHF)$", "", cell.strip())
    negative = text.startswith("(") and text.endswith(")")
    text = re.sub(r"^([-+−]?)\s*[$€£¥]\s*", r"\1", text.strip("()")).replace("−", "-")
    if not _NUMBER.fullmatch(text):
        return None
    try:
        number = Decimal(_with_point(re.sub(r"[ '’\u00a0\u202f]", "", text)))
    except InvalidOperation:
        return None
    return -number if negative else number


def _with_point(text: str) -> str:
    """Digits with a decimal point, whichever sign separates thousands."""
    comma, point = text.rfind(","), text.rfind(".")
    if comma >= 0 and point >= 0:
        thousands, decimal = (",", ".") if point > comma else (".", ",")
        return text.replace(thousands, "").replace(decimal, ".")
    if comma >= 0:
        groups = text.split(",")
        return text.replace(",", "") if all(len(group) == 3 for group in groups[1:]) else text.replace(",", ".")
    return text.replace(".", "") if text.count(".") > 1 else text


def _shown(number: Decimal) -> str:
    return (
        f"{number:,.2f}".removesuffix(".00")
        if number == number.quantize(_CENT, context=_EXACT)
        else f"{number.normalize(_EXACT):,f}"
    )


def _total(numbers: Sequence[Decimal]) -> Decimal:
    with localcontext(_EXACT):
        return sum(numbers, Decimal(0))


def _mean(numbers: Sequence[Decimal]) -> Decimal:
    with localcontext(_EXACT):
        return (sum(numbers, Decimal(0)) / len(numbers)).quantize(_CENT)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")[:200]


def markdown(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(_cell(cell) for cell in line)} |" for line in lines)


def _describe(arguments: dict[str, Any], context: ToolContext) -> str:
    table = read(str(arguments["csv_text"]))
    rows = [_described(table, place) for place in range(len(table.columns))]
    return f"{len(table.rows):,} rows, {len(table.columns)} columns.\n\n" + markdown(
        ["Column", "Kind", "Filled", "Different", "Smallest", "Largest", "Sum", "Mean"], rows
    )


def _described(table: Table, place: int) -> list[str]:
    cells = [row[place] for row in table.rows if row[place].lower() not in _EMPTY]
    numbers = table.numbers(place)
    head = [
        table.columns[place],
        "number" if numbers and len(numbers) >= len(cells) * 0.8 else "text",
        str(len(cells)),
        str(len(set(cells))),
    ]
    if head[1] == "number":
        return [*head, *map(_shown, (min(numbers), max(numbers), _total(numbers), _mean(numbers)))]
    return [*head, min(cells, default="")[:40], max(cells, default="")[:40], "", ""]


def _table(arguments: dict[str, Any], context: ToolContext) -> str:
    table = read(str(arguments["csv_text"]))
    rows = table.rows
    if arguments.get("sort_by"):
        rows = _sorted(table, table.place(str(arguments["sort_by"])), descending=bool(arguments.get("descending")))
    places = [table.place(str(name)) for name in arguments.get("columns") or table.columns]
    limit = min(max(int(arguments.get("limit") or MOST_SHOWN), 1), MOST_SHOWN)
    shown = markdown(
        [table.columns[place] for place in places], [[row[place] for place in places] for row in rows[:limit]]
    )
    rest = f"\n\n{len(rows):,} rows in all, the first {limit} are shown." if len(rows) > limit else ""
    return shown + rest


def _sorted(table: Table, place: int, *, descending: bool) -> list[list[str]]:
    """By number where the column holds numbers; empty cells last either way."""
    numeric = bool(table.numbers(place))

    def key(row: list[str]) -> Any:
        return (as_number(row[place]) or Decimal(0)) if numeric else row[place].lower()

    def filled(row: list[str]) -> bool:
        return as_number(row[place]) is not None if numeric else bool(row[place])

    full = sorted((row for row in table.rows if filled(row)), key=key, reverse=descending)
    return full + [row for row in table.rows if not filled(row)]


_OPERATIONS: dict[str, Callable[[list[Decimal]], Decimal]] = {
    "sum": _total,
    "mean": _mean,
    "min": min,
    "max": max,
}


def _aggregate(arguments: dict[str, Any], context: ToolContext) -> str:
    table, operation = read(str(arguments["csv_text"])), str(arguments["operation"])
    group = table.place(str(arguments["group_by"])) if arguments.get("group_by") else None
    value = table.place(str(arguments["value"])) if arguments.get("value") else None
    if operation != "count" and value is None:
        raise ToolError(
            f"Say in `value` which column to {operation}. The columns are: {', '.join(table.columns)[:500]}."
        )
    groups: dict[str, list[list[str]]] = {}
    for row in table.rows:
        groups.setdefault(row[group] or "(empty)" if group is not None else "All", []).append(row)
    results = {name: _result(operation, rows, value) for name, rows in groups.items()}
    ranked = sorted(results.items(), key=lambda item: (item[1] is None, -(item[1] or Decimal(0))))
    rows_shown = [
        [name, str(len(groups[name])), "–" if number is None else _shown(number)]
        for name, number in ranked[:MOST_SHOWN]
    ]
    if group is not None and operation in {"sum", "count"}:
        total = _result(operation, table.rows, value)
        rows_shown.append(["Total", str(len(table.rows)), "–" if total is None else _shown(total)])
    what = operation if value is None else f"{operation} of {table.columns[value]}"
    return markdown([table.columns[group] if group is not None else "Rows", "Rows", what], rows_shown)


def _result(operation: str, rows: list[list[str]], value: int | None) -> Decimal | None:
    if operation == "count":
        return Decimal(len(rows) if value is None else sum(row[value].lower() not in _EMPTY for row in rows))
    assert value is not None
    numbers = [number for row in rows if (number := as_number(row[value])) is not None]
    return _OPERATIONS[operation](numbers) if numbers else None


def _functions(setup: Setup) -> list[ToolFunction]:
    names = {"type": "string"}
    return [
        function(
            "csv_describe",
            "Describe a CSV table: its columns, their kinds, sums and ranges.",
            {"csv_text": _TEXT},
            _describe,
            required=("csv_text",),
        ),
        function(
            "csv_table",
            "Show a CSV table, sorted, with chosen columns and a limit of rows.",
            {
                "csv_text": _TEXT,
                "sort_by": {**names, "description": "A column"},
                "descending": {"type": "boolean"},
                "columns": {"type": "array", "items": names},
                "limit": {"type": "integer", "minimum": 1, "maximum": MOST_SHOWN},
            },
            _table,
            required=("csv_text",),
        ),
        function(
            "csv_aggregate",
            "Add up, average or count a column of a CSV table, by group.",
            {
                "csv_text": _TEXT,
                "group_by": {**names, "description": "The column to group by; all rows together when left out"},
                "value": {**names, "description": "The column with the numbers"},
                "operation": {**names, "enum": ["sum", "mean", "count", "min", "max"]},
            },
            _aggregate,
            required=("csv_text", "operation"),
        ),
    ]


TOOL = Tool(
    key="csv_table",
    name="Tables",
    description="Describes, sorts and adds up tables in CSV.",
    icon="table-2",
    effect="reads",
    functions=_functions,
)

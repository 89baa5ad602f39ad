"""The audit trail for taking away, however long it is: read and sent a part at a time."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING

from channels.db import database_sync_to_async

from administration.queries import names_of_departments
from administration.serializers import EntryOut
from mindloom import wall
from runs.stream.structured import guarded

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from typing import Any

    from audit.models import Entry, EntryQuerySet

PART = 500
COLUMNS = (
    *("id", "at", "who", "action", "kind", "target", "label", "department", "address", "door", "program", "data"),
)
BOM = "\ufeff".encode()


async def as_csv(found: EntryQuerySet, scope: wall.Scope) -> AsyncIterator[bytes]:
    """For a spreadsheet, in which no cell is a formula. The answer outlives its request, so `scope` says what may be read."""
    yield BOM + _written([list(COLUMNS)])
    async for rows in _parts(found, scope):
        yield _written([[guarded(row[name]) for name in COLUMNS] for row in rows])


async def as_lines(found: EntryQuerySet, scope: wall.Scope) -> AsyncIterator[bytes]:
    """A line of JSON each."""
    async for rows in _parts(found, scope):
        yield b"".join(json.dumps(row, ensure_ascii=False, default=str).encode() + b"\n" for row in rows)


async def _parts(found: EntryQuerySet, scope: wall.Scope) -> AsyncIterator[list[dict[str, Any]]]:
    last = None
    while part := await _part(found, scope, last):
        last, rows = part[0][-1], part[1]
        yield rows


def _read(
    found: EntryQuerySet, scope: wall.Scope, last: Entry | None
) -> tuple[list[Entry], list[dict[str, Any]]] | None:
    with wall.scoped(scope):
        rows = list((found if last is None else found.older_than(last.at, last.pk))[:PART])
        return (rows, written(rows)) if rows else None


_part = database_sync_to_async(_read)


def written(rows: list[Entry]) -> list[dict[str, Any]]:
    """The entries as plain values."""
    context = {"departments": names_of_departments(rows)}
    return [dict(EntryOut(one, context=context).to_representation(one)) for one in rows]


def _written(rows: list[list[Any]]) -> bytes:
    file = io.StringIO()
    csv.writer(file).writerows(rows)
    return file.getvalue().encode()


WRITERS: dict[str, tuple[str, Callable[[EntryQuerySet, wall.Scope], AsyncIterator[bytes]]]] = {
    "csv": ("text/csv; charset=utf-8", as_csv),
    "jsonl": ("application/x-ndjson", as_lines),
}
"""By the ending of the file."""

"""The list of runs for a spreadsheet, however long it is: read and sent a part at a time."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

from channels.db import database_sync_to_async
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Coalesce

from mindloom import wall
from runs.stream.structured import guarded

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from runs.models.run import RunQuerySet

PART = 500
_COLUMNS: dict[str, Callable[[Any], Any]] = {
    "run": lambda run: run.pk,
    "uuid": lambda run: str(run.uuid),
    "kind": lambda run: "team" if run.team_id is not None else "agent",
    "name": lambda run: run.name or "",
    "version": lambda run: run.number_of_version or "",
    "started_by": lambda run: run.started_by.email,
    "trigger": lambda run: run.trigger,
    "state": lambda run: run.state,
    "reason": lambda run: run.reason,
    "message": lambda run: run.reason_message,
    "queued_at": lambda run: run.queued_at.isoformat(timespec="seconds"),
    "started_at": lambda run: run.started_at.isoformat(timespec="seconds") if run.started_at else "",
    "finished_at": lambda run: run.finished_at.isoformat(timespec="seconds") if run.finished_at else "",
    "duration_ms": lambda run: run.duration_ms if run.duration_ms is not None else "",
    "first_token_ms": lambda run: run.first_token_ms if run.first_token_ms is not None else "",
    "tokens_in": lambda run: run.tokens_in,
    "tokens_out": lambda run: run.tokens_out,
    "model_calls": lambda run: run.model_calls,
    "tool_calls": lambda run: run.tool_calls,
    "tool_failures": lambda run: run.tool_failures,
    "cost": lambda run: f"{run.cost:f}",
    "unpriced_calls": lambda run: run.unpriced_calls,
}


async def runs_csv(found: RunQuerySet, scope: wall.Scope) -> AsyncIterator[bytes]:
    """The runs, newest first, as CSV. The answer goes on after its request has ended, so `scope` says what may be read.

    Text that a spreadsheet would take for a formula gets an apostrophe in front; the mark at the start says UTF-8.
    """
    found = found.annotate(
        name=KeyTextTransform("name", "spec"),
        number_of_version=Coalesce("agent_version__number", "team_version__number"),
    )
    yield "\ufeff".encode() + _written([list(_COLUMNS)])
    last = None
    while rows := await _part(found, scope, last):
        last = rows[-1]
        yield _written([[guarded(read(run)) for read in _COLUMNS.values()] for run in rows])


def _read(found: RunQuerySet, scope: wall.Scope, last: Any) -> list[Any]:
    with wall.scoped(scope):
        return list((found if last is None else found.older_than(last.queued_at, last.pk))[:PART])


_part = database_sync_to_async(_read)


def _written(rows: Sequence[Sequence[Any]]) -> bytes:
    file = io.StringIO()
    csv.writer(file).writerows(rows)
    return file.getvalue().encode()

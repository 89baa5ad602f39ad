"""What pages get of a log: lines with the steps that they belong to, as JSON."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from channels.db import database_sync_to_async

from mindloom import wall
from runs.models import RunEvent
from runs.stream.lines import line_of, lines_of, text_of
from runs.stream.progress import keep, known_now, known_of, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runs.models import Run
    from runs.stream.progress import Known
    from runs.stream.tails import Batch

MOST_AT_ONCE = 5000
"""Events of one answer."""
_made: WeakKeyDictionary[Batch, asyncio.Task[tuple[str, ...]]] = WeakKeyDictionary()


async def frames_of(run: Run, batch: Batch) -> tuple[str, ...]:
    """The websocket's frames of a batch: the lines, and the run's state when it changed. Made once for all its readers."""
    task = _made.get(batch)
    if task is None:
        task = _made[batch] = asyncio.create_task(_frames(run, batch), name=f"frames of run {run.pk}")
    # A reader who leaves takes nothing away from the others.
    return await asyncio.shield(task)


async def _frames(run: Run, batch: Batch) -> tuple[str, ...]:
    known = known_now(run)
    if known.last < batch.last:
        is_next = known.last == batch.before and not any(row.type == "model.called" for row in batch.rows)
        if is_next:
            known = known.extended(batch.rows, {})
            keep(run, known)
        else:
            known = await database_sync_to_async(known_of)(run, batch.last)
    frames = [json.dumps({"t": "lines", "after": batch.before, "last": batch.last, **_lines(known, batch.rows)})]
    if batch.state:
        frames.append(json.dumps({"t": "run", "state": batch.state, "terminal": batch.is_terminal, "last": batch.last}))
    return tuple(frames)


def part_of(run: Run, after: int, upto: int) -> dict[str, Any]:
    """The lines of the events that follow `after`, up to `upto` or as many as one answer holds, and their steps."""
    with wall.tenant([run.department_id]):
        rows = list(RunEvent.objects.filter(run_id=run.pk, seq__lte=upto).after(after)[:MOST_AT_ONCE])
    last = rows[-1].seq if rows else after
    return {"after": after, "last": last, **_lines(known_of(run, last), rows)}


def text_of_step(run: Run, key: str) -> str:
    """The first lines of a step, or of those that are alike, as text."""
    known = known_of(run, run.last_seq)
    inside = {one for one in known.steps.all if known.steps.is_within(one, key)}
    if not inside:
        return ""
    first = min(known.steps.all[one].first for one in inside)
    last = max(known.steps.all[one].last for one in inside)
    with wall.tenant([run.department_id]):
        rows = RunEvent.objects.filter(run_id=run.pk, seq__lte=last).after(first - 1)[:MOST_AT_ONCE]
        found = [line_of(row) for row in rows if known.key_of(row.seq) in inside]
    return "".join(text_of(line) for line in found if line["op"] != "append")


def _lines(known: Known, rows: Sequence[RunEvent]) -> dict[str, Any]:
    return {"lines": known.marked(lines_of(rows)), "steps": [shown(known.steps, step) for step in known.touched(rows)]}

"""How runs end: the last event, the columns that follow from it, and what goes with the run's life."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from psycopg.types.json import Jsonb

from mindloom.engine.events import RunCancelled, RunCompleted, RunFailed
from runs.models import Approval, JournalEntry, Reason, State, append, storable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mindloom.engine.events import Event
    from runs.models import Guard
    from runs.models.append import Appended


def end(run_id: int, event: Event, guard: Guard, *, before: Sequence[Event] = ()) -> Appended | None:
    """End the run with this event, after the ones `before` it; None when the guard no longer holds. Needs a transaction."""
    ended = append(run_id, [*before, event], guard=guard, **terminal_changes(event))
    if ended is not None:
        forget(run_id)
    return ended


def terminal_changes(event: Event) -> dict[str, Any]:
    """The columns of the run that a terminal event sets."""
    if isinstance(event, RunCompleted):
        return {
            "state": State.COMPLETED,
            "reason": Reason.NONE,
            "reason_message": storable(" ".join(event.warnings)),
            "output": storable(event.output),
            "structured": Jsonb(storable(event.structured)) if event.structured is not None else None,
        }
    if isinstance(event, RunFailed):
        return {
            "state": State.FAILED,
            "reason": Reason(event.kind),
            "reason_message": storable(event.message),
        }
    if isinstance(event, RunCancelled):
        return {"state": State.CANCELLED, "reason": Reason.STOPPED, "reason_message": storable(event.message)}
    raise TypeError(event.type)


def forget(run_id: int) -> None:
    """The run has ended: nothing is asked any more, and nothing goes on."""
    JournalEntry.objects.filter(run=run_id).delete()
    Approval.objects.filter(run=run_id, state=Approval.State.OPEN).update(state=Approval.State.VOID)

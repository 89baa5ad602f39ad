"""Runs that wait for people: their questions, stored together with the waiting."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import transaction

from mindloom.engine.events import RunCancelled
from runs.models import Approval, Guard, State, append, storable
from runs.worker.endings import end
from runs.worker.journal import note

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mindloom.engine.events import ApprovalRequested, Event
    from runs.models import Run
    from runs.models.append import Appended


def ask(
    run: Run,
    events: Sequence[Event],
    asked: Sequence[ApprovalRequested],
    notes: Mapping[str, Any],
    *,
    guard: Guard,
    **changes: Any,
) -> Appended | None:
    """Write the run's last events, its questions and its notes, all or nothing; None when the guard no longer holds."""
    with transaction.atomic():
        appended = append(run.pk, events, guard=guard, **changes)
        if appended is None:
            return None
        Approval.objects.bulk_create(
            [
                Approval(
                    uuid=one.approval,
                    run=run,
                    department_id=run.department_id,
                    key=one.key,
                    kind=one.kind,
                    source=list(one.source),
                    tool=one.tool[:100],
                    effect=one.effect,
                    arguments=storable(one.arguments),
                    message=storable(one.message),
                )
                for one in asked
            ]
        )
        note(run, {**notes, **{f"{one.key}:shown": one.arguments for one in asked}})
    return appended


def stop_if_asked(run: Run) -> bool:
    """Somebody stopped the run in the moment in which it began to wait: end it now."""
    run.refresh_from_db(fields=["cancel_requested_at", "cancel_message"])
    if run.cancel_requested_at is None:
        return False
    with transaction.atomic():
        ended = end(run.pk, RunCancelled(message=run.cancel_message), Guard(states=(State.WAITING,)))
    return ended is not None

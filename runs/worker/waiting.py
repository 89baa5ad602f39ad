"""Runs that wait for people: what they need to go on, kept with the questions."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from django.db import transaction

from mindloom.engine.events import RunCancelled
from mindloom.engine.runner import Decision, Resume
from runs.models import Approval, Guard, Reason, RunJournal, State, append, storable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mindloom.engine.events import ApprovalRequested, Event
    from runs.models import Run
    from runs.models.append import Appended

_DECIDED = (Approval.State.APPROVED, Approval.State.DECLINED, Approval.State.ANSWERED)


def keep(
    run: Run,
    events: Sequence[Event],
    asked: Sequence[ApprovalRequested],
    journal: dict[str, Any],
    *,
    guard: Guard,
    **changes: Any,
) -> Appended | None:
    """Write the run's last events, its questions and its journal, all or nothing; None when the guard no longer holds."""
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
        shown = {f"{one.key}:shown": storable(one.arguments) for one in asked}
        RunJournal.objects.update_or_create(
            run=run, defaults={"department_id": run.department_id, "data": storable({**journal, **shown})}
        )
    return appended


def resume_of(run: Run) -> Resume | None:
    """How the run goes on, None when it has not waited."""
    kept = RunJournal.objects.filter(run=run).first()
    if kept is None:
        return None
    decisions = {}
    for one in Approval.objects.filter(run=run, state__in=_DECIDED).select_related("decided_by"):
        # People saw the arguments with secrets masked; the call itself is made with what was really asked.
        asked = kept.data.get(f"{one.key}:asked", {})
        same = kept.data.get(f"{one.key}:shown") == one.arguments
        person = one.decided_by
        decisions[one.key] = Decision(
            tool=one.tool,
            arguments=asked["arguments"] if same else one.arguments,
            approved=one.state != Approval.State.DECLINED,
            by=(person.name or person.email) if person is not None else "Somebody",
            note=one.note,
        )
    return Resume(journal=kept.data, decisions=decisions)


def stop_if_asked(run: Run) -> bool:
    """Somebody stopped the run in the moment in which it began to wait: end it now."""
    run.refresh_from_db(fields=["cancel_requested_at", "cancel_message"])
    if run.cancel_requested_at is None:
        return False
    event = RunCancelled(message=run.cancel_message)
    ended = append(
        run.pk,
        [event],
        guard=Guard(states=(State.WAITING,)),
        finished_at=datetime.now(UTC),
        state=State.CANCELLED,
        reason=Reason.STOPPED,
        reason_message=run.cancel_message,
    )
    if ended is not None:
        forget(run.pk)
    return ended is not None


def forget(run_id: int) -> None:
    """The run has ended: nothing is asked any more, and nothing goes on."""
    RunJournal.objects.filter(run=run_id).delete()
    Approval.objects.filter(run=run_id, state=Approval.State.OPEN).update(state=Approval.State.VOID)

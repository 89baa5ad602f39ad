"""Runs whose worker went away before they ended: they go on elsewhere, unless nobody knows what has happened.

What models and tools had answered is in the journal, so it is not asked or done again. The one thing that nobody can know is
what became of a call with an effect that was under way; about that a person is asked, and the run waits.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from django.conf import settings
from django.db import transaction

from mindloom.engine.events import (
    ApprovalRequested,
    RunCancelled,
    RunFailed,
    RunResumed,
    RunWaiting,
    ToolCallFailed,
)
from mindloom.engine.runner import SECONDS
from mindloom.engine.spec import spec_from_json
from runs.models import Approval, Guard, JournalEntry, Reason, Run, RunEvent, State, append
from runs.worker.claim import DEADLINE_GRACE
from runs.worker.endings import end
from runs.worker.journal import CHECK_KEY, checked_call, note
from runs.worker.waiting import ask

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mindloom.engine.events import Event, FailureKind

_CALLS = ("tool_call.started", "tool_call.finished", "tool_call.failed")
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
"""When a message was sent of a run that the sweeper is to tell the workers of at once."""
UNKNOWN = "The worker went away while this was under way; what became of it is not known."


def hand_back(
    run: Run,
    fence: int,
    why: str,
    *,
    counts: bool,
    events: Sequence[Event] = (),
    notes: Mapping[str, Any] | None = None,
    kind: FailureKind = "lost",
    goes_on: bool = True,
) -> bool:
    """Let the run go on in another worker, or ask what became of a call; False when the claim no longer holds.

    `why` is the sentence of what happened to the worker. With `counts` it is one of the times that a run may lose its worker; `kind`
    is the reason when that was the last, or when the run does not go on (`goes_on`). `events` and `notes` are what the worker itself
    had not written yet.
    """
    with transaction.atomic():
        # Who holds the row holds the log: what is read now stays true until this commits.
        row = Run.objects.select_for_update().filter(pk=run.pk, state=State.RUNNING, fence=fence).first()
        if row is None:
            return False
        guard = Guard(states=(State.RUNNING,), fence=fence)
        if events:
            append(row.pk, events, guard=guard)
        note(row, {SECONDS: _worked(row), **(notes or {})})
        if goes_on or row.cancel_requested_at is not None:
            _conclude(row, guard, why, counts=counts, kind=kind)
        else:
            cut_off = [_cut_off(one) for one in _open_calls(row) if not one["ended"]]
            end(row.pk, RunFailed(kind=kind, message=why), guard, before=cut_off)
    return True


def _conclude(row: Run, guard: Guard, why: str, *, counts: bool, kind: FailureKind) -> None:
    if row.cancel_requested_at is not None:
        end(row.pk, RunCancelled(message=row.cancel_message), guard)
        return
    calls = _open_calls(row)
    cut_off = [_cut_off(one) for one in calls if not one["ended"]]
    if unsure := [one for one in calls if one["is_unsure"]]:
        _ask(row, guard, why, cut_off, unsure)
    elif counts and row.restarts >= settings.RUN_RESTARTS:
        again = "once" if row.restarts == 1 else f"{row.restarts} times"
        tried = f" It had been started again {again}, which is all that it may." if row.restarts else ""
        message = f"{why}{tried} What the run had done until then is in the log. Run it again when nothing in it must not happen twice."
        end(row.pk, RunFailed(kind=kind, message=message), guard, before=cut_off)
    else:
        append(
            row.pk,
            [*cut_off, RunResumed(message=f"{why} The run goes on from where it was.")],
            guard=guard,
            state=State.QUEUED,
            reason=Reason.WAITING_FOR_WORKER,
            reason_message=f"{why} It goes on as soon as a worker is free.",
            restarts=row.restarts + counts,
            sent_at=LONG_AGO,
        )


def _ask(row: Run, guard: Guard, why: str, cut_off: list[Event], unsure: list[dict[str, Any]]) -> None:
    """One question for each call of which nobody knows whether it went out."""
    questions = [
        ApprovalRequested(
            approval=str(uuid4()),
            tool=one["tool"],
            arguments=one["arguments"],
            message=f"Did {one['tool']} go out? {why} It was under way just then.",
            kind="check",
            effect=one["effect"],
            key=CHECK_KEY.format(key=one["key"], fence=row.fence),
            source=one["source"],
        )
        for one in unsure
    ]
    more = f" ({len(questions) - 1} more)" if len(questions) > 1 else ""
    waits = RunWaiting(reason="waiting_for_person", message=f"{questions[0].message}{more}")
    ask(
        row,
        [*cut_off, *questions, waits],
        questions,
        {},
        guard=guard,
        state=State.WAITING,
        reason=Reason.WAITING_FOR_PERSON,
        reason_message=waits.message,
    )


def _open_calls(row: Run) -> list[dict[str, Any]]:
    """The calls of tools that have no end in the log, and those with an effect whose answer was not kept."""
    noted = set(JournalEntry.objects.filter(run=row).values_list("name", flat=True))
    answered = Counter(checked_call(one) for one in row.approvals.filter(kind=Approval.Kind.CHECK))
    begun: Counter[str] = Counter()
    calls: dict[tuple[Any, ...], dict[str, Any]] = {}
    for event in RunEvent.objects.filter(run_id=row.pk, type__in=_CALLS).order_by("seq"):
        name = (tuple(event.source), event.data["call_id"])
        if event.type != "tool_call.started":
            if name in calls:
                calls[name]["ended"] = True
            continue
        key = event.data.get("key", "")
        begun[key] += 1
        # Each beginning with an unknown end is asked about once; after "it did not happen" the call begins again.
        is_unsure = bool(key) and event.data["effect"] != "reads" and key not in noted and begun[key] > answered[key]
        calls[name] = {
            **event.data,
            "source": tuple(event.source),
            "at": event.at,
            "ended": False,
            "is_unsure": is_unsure,
        }
    return [one for one in calls.values() if not one["ended"] or one["is_unsure"]]


def _cut_off(call: dict[str, Any]) -> Event:
    took = max(0, int((datetime.now(UTC) - call["at"]).total_seconds() * 1000))
    return ToolCallFailed(
        call_id=call["call_id"], tool=call["tool"], message=UNKNOWN, duration_ms=took, source=call["source"]
    )


def _worked(row: Run) -> float:
    """Seconds that the run has worked, all its workers together; the time that none had it does not count."""
    before = JournalEntry.objects.filter(run=row, name=SECONDS).values_list("value", flat=True).first() or 0.0
    if row.deadline_at is None or row.heartbeat_at is None:
        return float(before)
    taken = row.deadline_at - timedelta(seconds=spec_from_json(row.spec).limits.seconds) - DEADLINE_GRACE
    return float(before) + max(0.0, (row.heartbeat_at - taken).total_seconds())

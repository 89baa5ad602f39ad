"""Stops runs, and finds those that nobody carries out any more."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from django.db import transaction

from audit.services import record
from mindloom.engine.events import RunCancelled
from mindloom.web.errors import Conflict, NotAllowed
from runs import worker
from runs.models import Guard, Run, State
from runs.services.sending import messages_waiting, send
from runs.signals import announce

if TYPE_CHECKING:
    from accounts.models import User


def stop_run(*, actor: User, run: Run) -> Run:
    """Stop the run: at once when no worker has it, else within seconds. Raises `Conflict` when it has ended."""
    if not Run.objects.editable_by(actor).filter(pk=run.pk).exists():
        raise NotAllowed("Only the person who started this run, or a manager, can stop it.")
    message = f"Stopped by {actor.name or actor.email}."
    # A second look: in the very moment between the two questions a worker may have taken it, or it may have begun to wait.
    asked = any(_ask_to_stop(actor, run, message) for _ in range(2))
    run.refresh_from_db()
    if not asked and run.is_terminal:
        raise Conflict(f"{run} has already ended.", code="run_ended")
    return run


def _ask_to_stop(actor: User, run: Run, message: str) -> bool:
    with transaction.atomic():
        stopped = worker.end(run.pk, RunCancelled(message=message), Guard(states=(State.QUEUED, State.WAITING)))
        asked = stopped is not None or bool(
            Run.objects.filter(pk=run.pk, state=State.RUNNING, cancel_requested_at=None).update(
                cancel_requested_at=datetime.now(UTC), cancel_message=message
            )
        )
        if asked:
            record(actor=actor, action="run.stopped", target=run)
            announce(run)
    return asked


def note_export(*, actor: User, department_id: int | None, query: str) -> None:
    """Somebody takes the list of runs away, filtered so."""
    record(actor=actor, action="run.exported", department_id=department_id, query=query[:1000])


def note_download(*, actor: User, run: Run, what: str) -> Run:
    """Somebody takes what a run left behind away; returns the run."""
    record(actor=actor, action="run.downloaded", target=run, what=what)
    return run


def sweep() -> int:
    """End runs that nobody carries out any more and send lost messages again; returns how many ended. For the scheduler."""
    ended = worker.reap()
    if messages_waiting() == 0:
        for run_id in worker.stale_queued():
            send(run_id)
    return ended

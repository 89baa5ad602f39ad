"""Keeps runs, and removes them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from django.db import transaction

from audit.services import record
from mindloom.web.errors import Conflict, NotAllowed
from runs import worker
from runs.models import TERMINAL_STATES, Run

if TYPE_CHECKING:
    from accounts.models import User


def pin_run(*, actor: User, run: Run) -> Run:
    """Keep the run, with its log and files, whatever the department's retention says. Nothing happens when it is pinned."""
    _check(actor, run, "pin")
    with transaction.atomic():
        if Run.objects.filter(pk=run.pk, pinned_at=None).update(pinned_at=datetime.now(UTC), pinned_by=actor):
            record(actor=actor, action="run.pinned", target=run)
    run.refresh_from_db(fields=["pinned_at", "pinned_by"])
    return run


def unpin_run(*, actor: User, run: Run) -> Run:
    """Let the department's retention decide about the run again."""
    _check(actor, run, "unpin")
    with transaction.atomic():
        if Run.objects.filter(pk=run.pk).exclude(pinned_at=None).update(pinned_at=None, pinned_by=None):
            record(actor=actor, action="run.unpinned", target=run)
    run.refresh_from_db(fields=["pinned_at", "pinned_by"])
    return run


def delete_run(*, actor: User, run: Run) -> None:
    """Remove a run that has ended, with its log, files and questions. What it used stays in the department's totals.

    Raises `Conflict` for a run that has not ended or is pinned.
    """
    _check(actor, run, "delete")
    with transaction.atomic():
        locked = Run.objects.select_for_update().only("state", "pinned_at").filter(pk=run.pk).first()
        if locked is None:
            return
        if locked.state not in TERMINAL_STATES:
            raise Conflict(f"{run} has not ended. Stop it first.", code="run_not_ended")
        if locked.pinned_at is not None:
            raise Conflict(f"{run} is pinned, so it is kept. Unpin it first.", code="run_pinned")
        record(actor=actor, action="run.deleted", target=run, name=run.target_name, files=run.artifacts.count())
        worker.remove_runs([run.pk])


def _check(actor: User, run: Run, verb: str) -> None:
    if not Run.objects.editable_by(actor).filter(pk=run.pk).exists():
        raise NotAllowed(f"Only the person who started this run, or a manager, can {verb} it.")

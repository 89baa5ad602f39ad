"""Ends runs whose worker vanished or overran, and finds queued runs whose message was lost."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db.models import Q
from django.db.models.functions import Now

from mindloom import wall
from mindloom.engine.events import RunCancelled, RunFailed
from runs.models import Guard, Run, State, append
from runs.signals import announce
from runs.worker.recorder import terminal_changes

if TYPE_CHECKING:
    from mindloom.engine.events import Event

logger = logging.getLogger(__name__)

BATCH = 500
RESEND_AFTER = timedelta(seconds=20)


def reap() -> int:
    """End what nobody carries out any more; returns how many runs that were. Safe to run anywhere, any number at once."""
    stale = timedelta(seconds=settings.RUN_HEARTBEAT_STALE_SECONDS)
    gone = Q(heartbeat_at__lt=Now() - stale) | Q(heartbeat_at=None)
    with wall.system("reaper: runs of all departments"):
        runs = Run.objects.filter(state=State.RUNNING).filter(gone | Q(deadline_at__lt=Now()))
        return sum(_end(run, silent=_is_silent(run, stale)) for run in runs.order_by("pk")[:BATCH])


def stale_queued() -> list[int]:
    """Ids of queued runs whose message was sent a while ago; marks them as sent again now."""
    with wall.system("sweeper: queued runs of all departments"):
        waiting = Run.objects.filter(state=State.QUEUED, sent_at__lt=Now() - RESEND_AFTER).order_by("pk")
        ids = list(waiting.values_list("pk", flat=True)[:BATCH])
        Run.objects.filter(pk__in=ids, state=State.QUEUED).update(sent_at=Now())
    return ids


def _is_silent(run: Run, stale: timedelta) -> bool:
    return Run.objects.filter(pk=run.pk).filter(Q(heartbeat_at__lt=Now() - stale) | Q(heartbeat_at=None)).exists()


def _end(run: Run, *, silent: bool) -> bool:
    event = _last_words(run, silent=silent)
    ended = append(
        run.pk,
        [event],
        guard=Guard(states=(State.RUNNING,), fence=run.fence),
        finished_at=datetime.now(UTC),
        **terminal_changes(event),
    )
    if ended is None:
        return False
    logger.warning("Run %s of %s was ended: %s", run.pk, run.claimed_by, event.type)
    announce(run)
    return True


def _last_words(run: Run, *, silent: bool) -> Event:
    if run.cancel_requested_at is not None:
        return RunCancelled(message=run.cancel_message)
    if silent:
        last = f"{run.heartbeat_at:%H:%M:%S} UTC" if run.heartbeat_at else "never"
        return RunFailed(
            kind="lost",
            message=f"The worker {run.claimed_by} vanished; its last sign of life was at {last}. "
            "What the run had done until then is in the log. Run it again when nothing in it must not happen twice.",
        )
    return RunFailed(
        kind="timeout",
        message="The run passed its time limit and did not stop by itself. Allow it more time under Limits.",
    )

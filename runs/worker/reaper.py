"""Takes runs away from workers that vanished or overran, and finds queued runs whose message was lost."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from mindloom import wall
from mindloom.engine.events import RunCancelled, RunFailed
from runs.models import Guard, Run, State
from runs.signals import announce
from runs.worker.claim import forgotten
from runs.worker.endings import end
from runs.worker.handback import hand_back
from runs.worker.pods.naming import Attempt
from runs.worker.pods.submitting import give_up

if TYPE_CHECKING:
    from mindloom.engine.events import Event
    from runs.models.run import RunQuerySet

logger = logging.getLogger(__name__)

BATCH = 500
UNWATCHED = timedelta(minutes=2)
"""How much later than the watcher of pods the reaper gives up what no pod has taken."""
RESEND_AFTER = timedelta(seconds=5)
MOST_SENT = 50
"""Messages that the sweeper sends at once; whoever takes one goes on with all that may start."""


def reap() -> int:
    """Take over what nobody carries out any more; returns how many runs that were. Safe to run anywhere, any number at once."""
    stale = timedelta(seconds=settings.RUN_HEARTBEAT_STALE_SECONDS)
    gone = Q(heartbeat_at__lt=Now() - stale) | Q(heartbeat_at=None)
    with wall.system("reaper: runs of all departments"):
        runs = Run.objects.filter(state=State.RUNNING).filter(gone | Q(deadline_at__lt=Now()))
        ended = sum(_end(run, silent=_is_silent(run, stale)) for run in runs.order_by("pk")[:BATCH])
        return ended + sum(_give_up(run) for run in _unwatched().order_by("pk")[:BATCH])


def _unwatched() -> RunQuerySet:
    """Runs whose pod should have taken them long ago. The watcher of pods ends these; unless there is none any more."""
    long = timedelta(seconds=settings.KUBERNETES_PENDING_SECONDS) + UNWATCHED
    return Run.objects.filter(state=State.QUEUED, submitted_at__lt=Now() - long)


def _give_up(run: Run) -> bool:
    message = "No pod took the run in time, and nobody watches pods. Run it again; an administrator looks whether Kubernetes is still set up."
    ended = give_up(run, Attempt.of(run), RunFailed(kind="lost", message=message))
    if ended:
        logger.warning("Run %s was given up: no pod took it", run.pk)
    return ended


def stale_queued() -> list[int]:
    """Queued runs that could start, whose message was sent a while ago; marks them as sent again now."""
    with wall.system("sweeper: queued runs of all departments"):
        ids = forgotten(RESEND_AFTER, MOST_SENT)
        Run.objects.filter(pk__in=ids, state=State.QUEUED).update(sent_at=Now())
    return ids


def _is_silent(run: Run, stale: timedelta) -> bool:
    return Run.objects.filter(pk=run.pk).filter(Q(heartbeat_at__lt=Now() - stale) | Q(heartbeat_at=None)).exists()


def _end(run: Run, *, silent: bool) -> bool:
    if silent and run.cancel_requested_at is None:
        last = f"{run.heartbeat_at:%H:%M:%S} UTC" if run.heartbeat_at else "never"
        why = f"The worker {run.claimed_by} vanished; its last sign of life was at {last}."
        ended = hand_back(run, run.fence, why, counts=True)
    else:
        with transaction.atomic():
            ended = end(run.pk, _last_words(run), Guard(states=(State.RUNNING,), fence=run.fence)) is not None
    if ended:
        logger.warning("Run %s of %s was taken away: %s", run.pk, run.claimed_by, "silent" if silent else "overdue")
        announce(run)
    return ended


def _last_words(run: Run) -> Event:
    if run.cancel_requested_at is not None:
        return RunCancelled(message=run.cancel_message)
    return RunFailed(
        kind="timeout",
        message="The run passed its time limit and did not stop by itself. Allow it more time under Limits.",
    )

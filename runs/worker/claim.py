"""Takes queued runs."""

from __future__ import annotations

import os
import socket
from datetime import timedelta

from django.db.models.functions import Now

from mindloom import wall
from mindloom.engine.events import RunStarted
from mindloom.engine.spec import spec_from_json
from mindloom.wall.pool import give_back
from runs.models import Guard, Reason, Run, State, append
from runs.signals import announce

# The engine ends a run at its time limit; when even that fails, the reaper does so this much later.
DEADLINE_GRACE = timedelta(seconds=20)


def worker_name() -> str:
    """How people see the process in a run's details."""
    return f"{socket.gethostname()}:{os.getpid()}"


def claim(run_id: int) -> tuple[Run, int] | None:
    """The run, and the fence to write with; None when it was not there to be taken."""
    with wall.system("worker: a message names a run of any department"):
        # The reaper compares with the database's clock; this machine's may be wrong.
        found = Run.objects.filter(pk=run_id, state=State.QUEUED).annotate(now=Now()).first()
        if found is None:
            return None
        run, now = found, found.now
        seconds = spec_from_json(run.spec).limits.seconds
        appended = append(
            run.pk,
            [RunStarted(worker=worker_name(), attempt=run.fence + 1)],
            guard=Guard(states=(State.QUEUED,), fence=run.fence),
            state=State.RUNNING,
            fence=run.fence + 1,
            claimed_by=worker_name(),
            started_at=run.started_at or now,
            deadline_at=now + timedelta(seconds=seconds) + DEADLINE_GRACE,
            reason=Reason.NONE,
            reason_message="",
        )
        if appended is None:
            return None
        announce(run)
        give_back()
    return run, appended.fence

"""Makes the job of a run that a worker has taken for a pod, and its secret. Doing it twice makes it once."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from django.db import DatabaseError, transaction

from mindloom import wall
from mindloom.engine.events import LogWritten, RunFailed
from mindloom.wall.pool import give_back
from runs.models import Guard, Reason, State, append
from runs.signals import announce
from runs.worker.endings import end
from runs.worker.pods import manifest
from runs.worker.pods.cluster import Refused, cluster
from runs.worker.pods.handing import handed_to
from runs.worker.pods.naming import Attempt

if TYPE_CHECKING:
    from runs.models import Run

logger = logging.getLogger(__name__)

BROKEN = (
    "Mindloom itself failed while it made the run's pod. Run it again; an administrator finds the details in the log."
)


def submit(run: Run, number: int) -> None:
    """Have a pod made for this attempt of a run that was marked for it.

    What fails in passing leaves the mark, and the watcher tries again; what cannot work ends the run with the reason.
    """
    with wall.tenant([run.department_id]):
        try:
            make(run, Attempt(str(run.uuid), number))
        except DatabaseError:
            # It stays marked; the watcher makes the job when the database is back.
            logger.exception("The job of run %s could not be made", run.pk)
        finally:
            give_back()


def make(run: Run, attempt: Attempt, *, has_job: bool = False) -> bool:
    """The same inside the run's scope; False when it has to be tried again. What was made before is left as it is.

    With `has_job` nothing that goes wrong is said, nor ends the run: its pod may be well.
    """
    try:
        kept, handed = cluster(), handed_to(run)
        uid, is_new = kept.create_job(manifest.job(run, attempt, handed.files))
        if is_new:
            handed.note(run)  # before there is anything to be read
        if kept.create_secret(manifest.secret(attempt, uid, handed.files)) and not is_new:
            handed.note(run)
    except Refused as refused:
        if has_job:
            logger.warning("What %s lacks could not be made: %s", attempt.name, refused.message)
            return False
        logger.warning("The job %s could not be made: %s", attempt.name, refused.message)
        if refused.passes:
            say(run, attempt, Reason(refused.kind), refused.message)
            return False
        give_up(run, attempt, RunFailed(kind=refused.kind, message=refused.message))
    except DatabaseError:
        raise
    except Exception:
        # Trying again would meet the same, for ever.
        logger.exception("The job %s could not be made", attempt.name)
        give_up(run, attempt, RunFailed(kind="system_error", message=BROKEN))
    return True


def say(run: Run, attempt: Attempt, reason: Reason, message: str) -> None:
    """Why the run's pod does not run yet: in the log, and as the run's reason, once for each sentence."""
    row = type(run).objects.filter(pk=run.pk).values_list("reason_message", flat=True).first()
    if row == message:
        return
    written = append(
        run.pk,
        [LogWritten(level="info" if reason == Reason.WAITING_FOR_POD else "warn", message=message)],
        guard=Guard(states=(State.QUEUED,), fence=attempt.number - 1),
        reason=reason,
        reason_message=message,
    )
    if written is not None:
        announce(run)


def give_up(run: Run, attempt: Attempt, event: RunFailed) -> bool:
    """The run ends before its pod has taken it; False when it has, or when somebody else ended it."""
    with transaction.atomic():
        ended = end(run.pk, event, Guard(states=(State.QUEUED,), fence=attempt.number - 1)) is not None
    if ended:
        announce(run)
    return ended

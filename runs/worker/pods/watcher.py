"""Tells of the pods of runs what their processes cannot: why one does not start, what became of one that ended without a word.

One watcher works for an installation, by a lease. It looks whenever the cluster or the clock says so, at both sides: runs that
should have a pod, and jobs whose run has ended, goes on elsewhere, or is gone.
"""

from __future__ import annotations

import logging
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

from django.conf import settings
from django.db import connection, transaction

from mindloom import wall
from mindloom.engine.events import FAILURE_KINDS, ArtifactSaved, LogWritten, RunCancelled, RunFailed
from mindloom.engine.ports import ToolError
from mindloom.wall.lease import Lease
from runs.models import Guard, Reason, Run, State, append
from runs.signals import announce
from runs.worker import files
from runs.worker.endings import end
from runs.worker.handback import LONG_AGO, hand_back
from runs.worker.pods.cluster import Refused, cluster
from runs.worker.pods.facts import Fact, container_state, has_finished, judge
from runs.worker.pods.handing import handed_to
from runs.worker.pods.naming import Attempt
from runs.worker.pods.submitting import give_up, make, say
from runs.worker.pods.view import View
from runs.worker.redact import Redactor

if TYPE_CHECKING:
    from mindloom.engine.events import Event, FailureKind
    from runs.worker.pods.cluster import Cluster

logger = logging.getLogger(__name__)

LOCK = 0x706F6473  # "pods"
HANGS_AFTER = "120s"
LOOK_SECONDS = 1.0
SETTLE_SECONDS = 0.2
"""Changes come together; they are looked at together."""
AWAY_SECONDS = 5.0
AGAIN_SECONDS, LONGEST_AGAIN_SECONDS = 8.0, 120.0
"""How long a job or its secret may be missing before it is made again, and the longest pause between two tries."""
POD_LOG = "pod.log"


def watch_pods(stop: threading.Event) -> None:
    """Until stopped: watch while this process holds the lease. Nothing that goes wrong ends it."""
    lease, changed = Lease(LOCK, HANGS_AFTER), threading.Event()
    watcher: Watcher | None = None
    while not stop.is_set():
        pause = LOOK_SECONDS
        try:
            if lease.is_ours():
                watcher = watcher or Watcher(cluster(), changed)
                watcher.round()
            elif watcher is not None:
                watcher.view.stop()
                watcher = None
        except Refused as refused:
            logger.warning("Pods of runs cannot be looked after: %s", refused.message)
            pause = AWAY_SECONDS
        except Exception:
            # The database may be away, too; the next round is needed all the more.
            logger.exception("Pods of runs could not be looked after")
            lease.let_go()
        changed.wait(pause)
        stop.wait(SETTLE_SECONDS)
        changed.clear()
    if watcher is not None:
        watcher.view.stop()
    connection.close()


class Watcher:
    """Compares the runs that are in pods, or on their way, with what the cluster has."""

    def __init__(self, cluster: Cluster, changed: threading.Event) -> None:
        self._cluster = cluster
        self.view = View(cluster, changed)
        self.view.start()
        self._tried: dict[Attempt, tuple[float, float]] = {}
        self._warned: dict[Attempt, tuple[float, list[dict[str, Any]]]] = {}
        self._strays: dict[Attempt, float] = {}

    def round(self) -> None:
        """Look at everything once."""
        if not self.view.is_complete:
            return
        # The cluster first: what it says has ended, the database knows of when it is asked afterwards.
        seen = self.view.attempts()
        with wall.system("pods: runs of all departments that are in pods"):
            runs = {Attempt.of(run): run for run in Run.objects.in_pods().select_related("started_by")}
        for attempt, run in runs.items():
            job, pod = seen.get(attempt, (None, None))
            with wall.tenant([run.department_id]):
                self._safely(
                    attempt, lambda run=run, attempt=attempt, job=job, pod=pod: self._look(run, attempt, job, pod)
                )
        for attempt, (job, pod) in seen.items():
            if attempt not in runs:
                self._safely(attempt, lambda attempt=attempt, job=job, pod=pod: self._clear(attempt, job, pod))
        for kept in (self._tried, self._warned, self._strays):
            for attempt in kept.keys() - runs.keys() - seen.keys():
                del kept[attempt]  # type: ignore[attr-defined]

    def _safely(self, attempt: Attempt, look: Any) -> None:
        try:
            look()
        except Refused as refused:
            logger.warning("%s: %s", attempt.name, refused.message)
        except Exception:
            if not connection.is_usable():
                raise
            # One that cannot be looked at must not hold up the others.
            logger.exception("%s could not be looked at", attempt.name)

    def _look(self, run: Run, attempt: Attempt, job: Any, pod: Any) -> None:
        if run.state == State.RUNNING:
            self._look_at_running(run, attempt, job, pod)
            return
        assert run.submitted_at is not None
        waited = datetime.now(UTC) - run.submitted_at
        if job is None or _lacks_secret(pod):
            self._make_again(run, attempt, waited, patient=job is not None)
        fact = judge(job, pod, lambda: self._warnings(attempt)) if job is not None else _without_job(run)
        if fact.ends:
            self._not_started(run, attempt, fact, pod)
        elif waited > timedelta(seconds=settings.KUBERNETES_PENDING_SECONDS):
            kind = fact.kind or "timeout"
            words = f"Its pod did not start within {settings.KUBERNETES_PENDING_SECONDS} s. {fact.message}"
            give_up(run, attempt, RunFailed(kind=kind, message=words))
        elif job is not None:
            say(run, attempt, Reason(fact.kind) if fact.kind else Reason.WAITING_FOR_POD, fact.message)

    def _make_again(self, run: Run, attempt: Attempt, waited: timedelta, *, patient: bool) -> None:
        """The job, or its secret, is not there: whoever was to make it could not, or died before.

        A pod that waits on its node mostly waits for its image; then it is tried less and less often.
        """
        now = time.monotonic()
        next_at, pause = self._tried.get(attempt, (0.0, AGAIN_SECONDS))
        if waited.total_seconds() > AGAIN_SECONDS and now > next_at:
            self._tried[attempt] = (now + pause, min(2 * pause, LONGEST_AGAIN_SECONDS) if patient else AGAIN_SECONDS)
            make(run, attempt, has_job=patient)

    def _not_started(self, run: Run, attempt: Attempt, fact: Fact, pod: Any) -> None:
        """Its pod ended, or will never start, before it took the run."""
        assert fact.kind is not None
        if not fact.goes_on:
            give_up(run, attempt, RunFailed(kind=fact.kind, message=fact.message))
            return
        if run.restarts >= settings.RUN_RESTARTS:
            words = f"{fact.message} It had been tried {run.restarts + 1} times, which is all that it may."
            saved = self._keep_log(run, pod) if fact.has_log else []
            append(run.pk, saved, guard=Guard(states=(State.QUEUED,), fence=attempt.number - 1))
            give_up(run, attempt, RunFailed(kind=fact.kind, message=words))
            return
        append(
            run.pk,
            [LogWritten(level="warn", message=f"{fact.message} Another pod is made.")],
            guard=Guard(states=(State.QUEUED,), fence=attempt.number - 1),
            fence=attempt.number,
            submitted_at=None,
            restarts=run.restarts + 1,
            reason=Reason.WAITING_FOR_WORKER,
            reason_message=f"{fact.message} Another pod is made as soon as a worker is free.",
            sent_at=LONG_AGO,
        )
        announce(run)

    def _look_at_running(self, run: Run, attempt: Attempt, job: Any, pod: Any) -> None:
        if run.cancel_requested_at is not None and _is_over(run.cancel_requested_at, settings.KUBERNETES_STOP_SECONDS):
            # The process has not ended by itself. The job goes, as of every run that has ended.
            with transaction.atomic():
                guard = Guard(states=(State.RUNNING,), fence=run.fence)
                ended = end(run.pk, RunCancelled(message=run.cancel_message), guard) is not None
            if ended:
                announce(run)
            self._cluster.delete_job(attempt.name)
            return
        if job is None:
            return  # its heart-beat tells
        fact = judge(job, pod, list)
        if not fact.ends or fact.kind is None:
            return
        events = self._keep_log(run, pod) if fact.has_log else []
        if hand_back(run, run.fence, fact.message, counts=True, events=events, kind=fact.kind, goes_on=fact.goes_on):
            logger.warning("%s: %s", attempt.name, fact.message)
            announce(run)

    def _clear(self, attempt: Attempt, job: dict[str, Any], pod: Any) -> None:
        """A job whose run has ended, waits, goes on elsewhere or is gone: it may end by itself, if it runs, for a while."""
        if has_finished(job):
            return
        since = self._strays.setdefault(attempt, time.monotonic())
        runs = pod is not None and "running" in container_state(pod)
        if not runs or time.monotonic() - since > settings.KUBERNETES_STOP_SECONDS:
            self._cluster.delete_job(attempt.name, job["metadata"]["uid"])

    def _warnings(self, attempt: Attempt) -> list[dict[str, Any]]:
        at, known = self._warned.get(attempt, (0.0, []))
        if time.monotonic() - at > AWAY_SECONDS:
            known = self._cluster.warnings_of("Job", attempt.name)
            self._warned[attempt] = (time.monotonic(), known)
        return known

    def _keep_log(self, run: Run, pod: Any) -> list[Event]:
        """What the process printed, as a file of the run, with its secrets masked."""
        try:
            content = self._cluster.log_of(pod["metadata"]["name"])
        except Refused as refused:
            logger.warning("The log of the pod of run %s cannot be had: %s", run.pk, refused.message)
            return []
        if not content.strip():
            return []
        redactor = Redactor()
        for secret in handed_to(run).secrets:
            redactor.add(secret)
        try:
            saved = files.store(run, POD_LOG, redactor.content(content), "text/plain")
        except ToolError as error:
            logger.warning("The log of the pod of run %s could not be kept: %s", run.pk, error)
            return []
        return [
            ArtifactSaved(
                artifact=saved.uuid,
                name=saved.name,
                media_type=saved.media_type,
                size_bytes=saved.size_bytes,
                version=saved.version,
            )
        ]


def _is_over(moment: datetime, seconds: float) -> bool:
    return datetime.now(UTC) - moment > timedelta(seconds=seconds)


def _without_job(run: Run) -> Fact:
    """What was said when the job could not be made."""
    kind = cast("FailureKind", run.reason) if run.reason in FAILURE_KINDS else None
    return Fact(kind, run.reason_message)


def _lacks_secret(pod: Any) -> bool:
    """Whether it waits on its node for something to mount; asked again is harmless."""
    if pod is None or (pod.get("status") or {}).get("phase") != "Pending":
        return False
    waiting = container_state(pod).get("waiting") or {}
    return bool((pod.get("spec") or {}).get("nodeName")) and waiting.get("reason", "ContainerCreating") in {
        "ContainerCreating",
        "PodInitializing",
    }

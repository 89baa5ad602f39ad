"""Takes queued runs: one that a message names, or the one whose turn it is.

PostgreSQL is the queue. Runs that are equal to it, those of one priority, department, target, person and provider, lie together
in an index; the query below steps from one such group to the next, so it costs a step a group and not a row a run. One claim
is made at a time, by all workers together: the runs under way are counted under the same lock under which the next one starts,
so no limit is ever passed.

A run that goes to a pod (`runs.worker.pods`) is taken here, too, but only marked as submitted: it counts as under way, and stays queued
until its pod claims it.
"""

from __future__ import annotations

import os
import socket
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q
from django.db.models.functions import Now

from integrations.providers.limited import limited
from mindloom import wall
from mindloom.engine.events import LogWritten, RunStarted
from mindloom.engine.spec import Limits, spec_from_json
from mindloom.wall.pool import give_back
from runs.models import Executor, Guard, Priority, Reason, Run, State, append
from runs.queries.limits import ALLOWED_SQL
from runs.signals import announce

# The engine ends a run at its time limit; when even that fails, the reaper does so this much later.
DEADLINE_GRACE = timedelta(seconds=20)
LOCK = 0x71756575  # "queu"
STOPPED_MEANWHILE = 20
"""How often a run may be stopped in the very moment in which it was chosen, before this worker looks again later."""

OF_EACH = 8

_LOCKED = "SELECT pg_advisory_xact_lock(%(lock)s);"
_DEPARTMENT_LIMIT = "coalesce(d.max_running, %(department)s)"
_HEADS = f"""
WITH RECURSIVE groups AS (
    (SELECT priority, department_id, target_key, started_by_id, provider_key FROM runs_run
     WHERE state = 'queued' AND submitted_at IS NULL AND priority >= %(lowest)s
     ORDER BY priority, department_id, target_key, started_by_id, provider_key LIMIT 1)
    UNION ALL
    SELECT following.* FROM groups g, LATERAL (
        SELECT r.priority, r.department_id, r.target_key, r.started_by_id, r.provider_key FROM runs_run r
        WHERE r.state = 'queued' AND r.submitted_at IS NULL AND (r.priority, r.department_id, r.target_key, r.started_by_id, r.provider_key)
            > (g.priority, g.department_id, g.target_key, g.started_by_id, g.provider_key)
        ORDER BY r.priority, r.department_id, r.target_key, r.started_by_id, r.provider_key LIMIT 1
    ) following
), busy AS MATERIALIZED (
    SELECT department_id, target_key, started_by_id, priority, count(*) AS n,
        count(*) FILTER (WHERE executor = 'kubernetes') AS pods
    FROM runs_run WHERE state = 'running' OR (state = 'queued' AND submitted_at IS NOT NULL) GROUP BY 1, 2, 3, 4
), in_pods AS MATERIALIZED (
    SELECT coalesce(sum(pods), 0) < %(pods)s AS have_room FROM busy
), startable AS (
    SELECT g.*, in_department.n::float / {_DEPARTMENT_LIMIT} AS load
    FROM groups g
    JOIN accounts_department d ON d.id = g.department_id
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(n), 0) AS n FROM busy b WHERE b.department_id = g.department_id) in_department
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(n), 0) AS n FROM busy b WHERE b.target_key = g.target_key) of_target
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(n), 0) AS n FROM busy b
        WHERE b.started_by_id = g.started_by_id AND b.priority >= %(people)s) of_person
    WHERE in_department.n < {ALLOWED_SQL.format(_DEPARTMENT_LIMIT)}
    AND of_target.n < {ALLOWED_SQL.format("%(target)s")}
    AND (g.priority < %(people)s OR of_person.n < %(person)s)
    AND g.provider_key <> ALL(%(limited)s::bigint[])
)
SELECT head.id, head.fence, head.started_at, head.seconds, clock_timestamp(), head.executor, head.is_forgotten
FROM startable g CROSS JOIN in_pods CROSS JOIN LATERAL (
    SELECT r.id, r.fence, r.started_at, r.due_at, r.executor, coalesce((r.spec -> 'limits' ->> 'seconds')::float, %(seconds)s) AS seconds,
        r.sent_at < greatest(now() - %(patience)s::interval, r.not_before) AS is_forgotten
    FROM runs_run r
    WHERE r.state = 'queued' AND r.submitted_at IS NULL AND r.priority = g.priority AND r.department_id = g.department_id
    AND r.target_key = g.target_key AND r.started_by_id = g.started_by_id AND r.provider_key = g.provider_key
    AND (in_pods.have_room OR r.executor <> 'kubernetes')
    -- The index has the order; whether it is time is asked of the few at its head, with room for clocks that differ.
    AND r.due_at <= now() + interval '1 minute' AND (r.not_before IS NULL OR r.not_before <= clock_timestamp())
    ORDER BY r.due_at, r.id LIMIT %(each)s
) head
ORDER BY g.priority DESC, g.load, head.due_at, head.id LIMIT %(most)s
"""  # noqa: S608 -- the pieces are the constants above


def worker_name() -> str:
    """How people see the process in a run's details: the pod of this run, or the machine and the process."""
    return settings.POD_NAME or f"{socket.gethostname()}:{os.getpid()}"


def claim(run_id: int) -> tuple[Run, int] | None:
    """The run of the message as it was, whoever's turn it is, and the fence to write with; None when it was not there to be taken."""
    return _claim(Q(pk=run_id, submitted_at=None))


def claim_in_pod(uuid: str, attempt: int) -> tuple[Run, int] | None:
    """The same for the pod that was made for this attempt, and for no other."""
    return _claim(Q(uuid=uuid, submitted_at__isnull=False, fence=attempt - 1))


def _claim(which: Q) -> tuple[Run, int] | None:
    with wall.system("worker: a message names a run of any department"):
        run = Run.objects.filter(which, state=State.QUEUED).annotate(now=Now()).first()
        if run is None:
            return None
        fence = _start(run.pk, run.fence, run.started_at, spec_from_json(run.spec).limits.seconds, run.now)
        if fence is None:
            return None
        announce(run)
        give_back()
    return run, fence


def claim_next(*, background: bool) -> tuple[Run, int] | None:
    """The run whose turn it is, as it was, and the fence to write with; None when nothing may start now.

    The fence of a run that goes to a pod is the one with which the pod is to claim it.

    First come runs for which somebody waits, and only these without `background`; among them the department that has used least
    of its limit, then the oldest.
    """
    with wall.system("worker: the next run of all departments"):
        for _ in range(STOPPED_MEANWHILE):
            with transaction.atomic():
                found = _heads(_LOCKED, background=background, each=1, most=1)
                fence = _take(*found[0][:6]) if found else None
            if not found or fence is not None:
                break
        run = Run.objects.get(pk=found[0][0]) if found and fence is not None else None
        if run is not None:
            run.fence = found[0][1]  # what it was: whether a worker had it before decides how it goes on
            announce(run)
        give_back()
    return (run, fence) if run is not None and fence is not None else None


def forgotten(patience: timedelta, most: int) -> list[int]:
    """Runs that could start now although their message was sent a while ago: some of each group, `most` of them altogether."""
    found = _heads("", background=True, each=OF_EACH, most=most, patience=patience)
    return [row[0] for row in found if row[-1]]


def _heads(prefix: str, *, background: bool, each: int, most: int, patience: timedelta = timedelta()) -> list[Any]:
    values: dict[str, Any] = {
        "lock": LOCK,
        "lowest": min(Priority.values) if background else Priority.PEOPLE.value,
        "people": Priority.PEOPLE.value,
        "department": settings.RUNS_PER_DEPARTMENT,
        "target": settings.RUNS_PER_AGENT,
        "person": settings.RUNS_PER_PERSON,
        "limited": list(limited()),
        "pods": settings.KUBERNETES_MAX_JOBS,
        "seconds": Limits().seconds,
        "patience": patience,
        "each": each,
        "most": most,
    }
    with connection.cursor() as cursor:
        cursor.execute(prefix + _HEADS, values)
        if prefix:
            cursor.nextset()
        return list(cursor.fetchall())


def _take(
    run_id: int, fence: int, started_at: datetime | None, seconds: float, now: datetime, executor: str
) -> int | None:
    if executor != Executor.KUBERNETES:
        return _start(run_id, fence, started_at, seconds, now)
    marked = append(
        run_id,
        [LogWritten(level="info", message="A pod is made for the run.")],
        guard=Guard(states=(State.QUEUED,), fence=fence),
        submitted_at=now,
        reason=Reason.WAITING_FOR_POD,
        reason_message="Its pod is being made.",
    )
    return marked.fence + 1 if marked is not None else None


def _start(run_id: int, fence: int, started_at: datetime | None, seconds: float, now: datetime) -> int | None:
    """Mark it as taken; `now` is by the database's clock, with which the reaper compares. This machine's may be wrong."""
    appended = append(
        run_id,
        [RunStarted(worker=worker_name(), attempt=fence + 1)],
        guard=Guard(states=(State.QUEUED,), fence=fence),
        state=State.RUNNING,
        fence=fence + 1,
        claimed_by=worker_name(),
        started_at=started_at or now,
        deadline_at=now + timedelta(seconds=seconds) + DEADLINE_GRACE,
        submitted_at=None,
        reason=Reason.NONE,
        reason_message="",
    )
    return appended.fence if appended is not None else None

"""Why a run is not running: one reason, in a sentence, with what can be done and about when it will start."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import Avg, F, Q

from integrations.providers.limited import limited
from mindloom import wall
from runs.models import Executor, Priority, Reason, Run, State
from runs.queries.limits import allowed
from runs.queries.workers import workers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runs.queries.workers import Workers

SAMPLE = 50
"""Runs of the department that ended last, whose mean duration an estimate is made of."""
MOST_COUNTED = 1000
"""Runs before this one that are counted; with more there is no estimate."""


class Why(models.TextChoices):
    """The reasons, with what a page calls them."""

    PERSON_MUST_DECIDE = "person_must_decide", "A person must decide"
    NOT_YET = "not_yet", "It is not time yet"
    EXECUTOR_UNAVAILABLE = "executor_unavailable", "The workers cannot be told"
    NO_WORKER = "no_worker", "No worker is there"
    DEPARTMENT_LIMIT = "department_limit", "The department is at its limit"
    AGENT_LIMIT = "agent_limit", "The agent is at its limit"
    PERSON_LIMIT = "person_limit", "A person is at their limit"
    PROVIDER_LIMIT = "provider_limit", "The provider takes no more requests"
    WORKERS_BUSY = "workers_busy", "All workers are busy"
    STARTING = "starting", "It is about to start"
    POD_STARTING = "pod_starting", "Its pod starts"
    POD_TROUBLE = "pod_trouble", "Its pod cannot start"
    PODS_LIMIT = "pods_limit", "As many pods as there may be"


@dataclass(frozen=True, kw_only=True)
class Standing:
    """Why a run is not running. `until` is when the reason ends at the latest, `estimate` the seconds until it starts, if known."""

    code: Why
    message: str
    action: str = ""
    until: datetime | None = None
    estimate: int | None = None

    @property
    def likely(self) -> str:
        """The estimate as a person says it."""
        return f"about {_span(self.estimate)}" if self.estimate is not None else ""

    @property
    def is_trouble(self) -> bool:
        """Whether it does not go on before somebody does something."""
        return self.code in {Why.NO_WORKER, Why.EXECUTOR_UNAVAILABLE, Why.POD_TROUBLE}


def standing(run: Run) -> Standing | None:
    """Why the run is not running; None when it runs or has ended."""
    if run.state == State.WAITING:
        return Standing(code=Why.PERSON_MUST_DECIDE, message=run.sentence, action="Answer what it asks, below.")
    if run.state != State.QUEUED:
        return None
    if run.submitted_at is not None:
        code = Why.POD_STARTING if run.reason == Reason.WAITING_FOR_POD else Why.POD_TROUBLE
        return Standing(code=code, message=run.sentence)
    if run.not_before is not None and run.not_before > datetime.now(UTC):
        return Standing(code=Why.NOT_YET, message="It starts when its time has come.", until=run.not_before)
    known = workers()
    return (
        _without_workers(known) or next(_limits(run), None) or _provider(run) or _without_pods(run) or _busy(run, known)
    )


def _without_workers(known: Workers | None) -> Standing | None:
    if known is None:
        return Standing(
            code=Why.EXECUTOR_UNAVAILABLE,
            message="Redis, through which the workers are told of runs, does not answer. The run starts by itself when it does.",
            action="An administrator finds out more with `manage.py doctor`.",
        )
    if known.alive:
        return None
    seen = "" if known.silence is None else f" The last one was there {_span(known.silence)} ago."
    return Standing(
        code=Why.NO_WORKER,
        message=f"No worker is there to carry runs out.{seen} The run starts by itself when one is back.",
        action="An administrator has to start one: `make worker`, or look why it ended in its log.",
    )


def _limits(run: Run) -> Iterator[Standing]:
    """The limits that are reached, of all departments' runs where the limit is."""
    mine = Q(department=run.department_id)
    department = run.department.max_running or settings.RUNS_PER_DEPARTMENT
    checks = [
        (
            Why.DEPARTMENT_LIMIT,
            mine,
            department,
            f"{run.department.name} has as many runs under way as it may",
            "An administrator can let the department have more at once.",
        ),
        (
            Why.AGENT_LIMIT,
            Q(target_key=run.target_key),
            settings.RUNS_PER_AGENT,
            f"{run.target_name} has as many runs under way as one agent or team may",
            "Stop runs that nobody needs, or wait.",
        ),
    ]
    if run.priority >= Priority.PEOPLE:
        person = Q(started_by=run.started_by_id, priority__gte=Priority.PEOPLE)
        who = run.started_by.name or run.started_by.email
        words = f"{who} has as many runs under way as one person may"
        checks.append(
            (Why.PERSON_LIMIT, person, settings.RUNS_PER_PERSON, words, "Stop runs that nobody needs, or wait.")
        )
    for code, which, limit, words, action in checks:
        most = allowed(limit, run.priority)
        with wall.system("standing: runs under way of all departments, to be counted"):
            under_way = Run.objects.under_way().filter(which).count()
        if under_way >= most:
            share = "" if most == limit else f" without the places kept for people, of {limit}"
            message = f"{words}: {most}{share}. This one starts when one of them has ended."
            yield Standing(code=code, message=message, action=action, estimate=_estimate(run, which, most))


def _provider(run: Run) -> Standing | None:
    seconds = limited().get(run.provider_key, 0.0) if run.provider_key else 0.0
    if seconds <= 0:
        return None
    model = run.spec["model"]
    return Standing(
        code=Why.PROVIDER_LIMIT,
        message=f'The provider "{model.get("provider") or model["kind"]}" takes no more requests for another {_span(seconds)}.',
        action="Wait, or give the agent a fallback model.",
        until=datetime.now(UTC) + timedelta(seconds=seconds),
        estimate=round(seconds) + 1,
    )


def _without_pods(run: Run) -> Standing | None:
    if run.executor != Executor.KUBERNETES:
        return None
    with wall.system("standing: runs under way of all departments, to be counted"):
        pods = Run.objects.in_pods().count()
    if pods < settings.KUBERNETES_MAX_JOBS:
        return None
    message = (
        f"There are as many pods of runs as there may be: {pods}. This one gets its pod when one of them has ended."
    )
    action = "An administrator can allow more with KUBERNETES_MAX_JOBS."
    return Standing(code=Why.PODS_LIMIT, message=message, action=action, estimate=_estimate(run, Q(), pods))


def _busy(run: Run, known: Workers | None) -> Standing:
    slots = known.slots if known is not None else 0
    with wall.system("standing: runs under way of all departments, to be counted"):
        under_way = Run.objects.filter(state=State.RUNNING, executor=run.executor).count()
    if under_way < slots and run.priority >= Priority.PEOPLE:
        return Standing(code=Why.STARTING, message="A worker is about to take it.", estimate=1)
    if under_way < slots:
        message = "It starts when nobody waits for an answer: runs in the background leave some places free for people."
    else:
        message = f"All {slots} places of the workers are taken. This run is taken when its turn comes."
    action = "An administrator can start another worker: `make worker`."
    estimate = _estimate(run, Q(department=run.department_id), max(1, slots))
    return Standing(code=Why.WORKERS_BUSY, message=message, action=action, estimate=estimate)


def _estimate(run: Run, which: Q, places: int) -> int | None:
    """Seconds until it starts, when runs take as long as those that ended last: one that may be wrong, in a sentence with "about"."""
    first = Q(priority__gt=run.priority) | Q(priority=run.priority, due_at__lt=run.due_at)
    with wall.system("standing: runs under way of all departments, to be counted"):
        before = Run.objects.filter(which & first, state=State.QUEUED)[:MOST_COUNTED].count()
    ended = Run.objects.filter(department=run.department_id, state=State.COMPLETED, finished_at__isnull=False)
    last = ended.order_by("-finished_at").values("pk")[:SAMPLE]
    mean: timedelta | None = Run.objects.filter(pk__in=last).aggregate(mean=Avg(F("finished_at") - F("started_at")))[
        "mean"
    ]
    if mean is None or before >= MOST_COUNTED:
        return None
    return max(1, round((before + 1) * mean.total_seconds() / places))


def _span(seconds: float) -> str:
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60)} min" if seconds < 5400 else f"{round(seconds / 3600)} h"

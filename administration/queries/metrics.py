"""What a monitoring system is told: numbers of the whole installation, in the text format of Prometheus.

All of it is counted in PostgreSQL when it is asked, so each web process says the same and none has to remember anything. Nothing
names a person, a department, or what runs are about.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from django.db.models import Count, Min, Q
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from accounts.models import Department
from buckets.models import UNDER_WAY, Version
from mindloom import wall
from runs.models import LIVE_STATES, TERMINAL_STATES, Executor, Run, State
from runs.queries.workers import workers

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from django.db.models import TextChoices

LATELY = timedelta(hours=1)
"""Ended runs are counted so far back: all that there ever were would be read anew with every question."""


class _Installation(Collector):
    """Everything, counted when it is asked for."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The gauges, one after the other."""
        now = datetime.now(UTC)
        with wall.system("metrics: runs and files of all departments, to be counted"):
            yield from _runs(now)
            documents = Version.objects.filter(state__in=UNDER_WAY).count()
        yield _gauge("mindloom_documents_waiting", "Files of content buckets that are not ready yet.", documents)
        known = workers()
        if known is not None:  # while Redis is away nothing is known, which is not the same as none
            yield _gauge("mindloom_workers", "Workers that gave a sign of life lately.", known.alive)
            yield _gauge("mindloom_worker_slots", "Runs that these workers carry at once.", known.slots)


def _runs(now: datetime) -> Iterator[GaugeMetricFamily]:
    due = Q(state=State.QUEUED, submitted_at=None) & (Q(not_before=None) | Q(not_before__lte=now))
    live = Run.objects.filter(state__in=LIVE_STATES).aggregate(
        **{state.value: Count("pk", Q(state=state)) for state in LIVE_STATES},
        **{f"due_{one.value}": Count("pk", due & Q(executor=one)) for one in Executor},
        oldest=Min("queued_at", filter=due),
        in_workers=Count("pk", Q(state=State.RUNNING, executor=Executor.CELERY)),
    )
    # By department, as the index has them.
    departments = list(Department.objects.values_list("pk", flat=True))
    ended = dict(
        Run.objects.filter(department__in=departments, finished_at__gte=now - LATELY)
        .values_list("state")
        .annotate(Count("pk"))
    )
    yield _split("mindloom_runs", "Runs that have not ended.", "state", {one: live[one.value] for one in LIVE_STATES})
    yield _split(
        "mindloom_runs_ended_lately",
        "Runs that ended within the last hour.",
        "state",
        {one: ended.get(one.value, 0) for one in TERMINAL_STATES},
    )
    yield _split(
        "mindloom_queue_depth",
        "Runs that nobody has taken yet and that may start now, by where they are to be carried out.",
        "executor",
        {one: live[f"due_{one.value}"] for one in Executor},
    )
    waited = (now - live["oldest"]).total_seconds() if live["oldest"] else 0.0
    yield _gauge("mindloom_queue_oldest_seconds", "How long the first of these waits.", max(waited, 0.0))
    yield _gauge("mindloom_runs_in_workers", "Runs that workers carry.", live["in_workers"])
    pods = Run.objects.in_pods().count()
    yield _gauge("mindloom_runs_in_pods", "Runs that have a pod of their own, or for which one is made.", pods)


def _gauge(name: str, meaning: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, meaning, value=value)


def _split(name: str, meaning: str, label: str, values: Mapping[TextChoices, int]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, meaning, labels=[label])
    for one, value in values.items():
        family.add_metric([one.value], value)
    return family


def exposition() -> bytes:
    """The gauges as Prometheus reads them."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Installation())
    return generate_latest(registry)

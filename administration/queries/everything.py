"""Runs, agents and teams of all departments, for administrators; and how the installation is doing."""

from __future__ import annotations

import tomllib
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.metadata import distributions
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import connection
from django.db.models import Count, Min, Q

from accounts.models import Department
from agents.models import Agent
from integrations.models import Model, ModelPrice
from mindloom import wall
from runs.models import LIVE_STATES, Reason, Run, State
from teams.models import Team

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.models import QuerySet

    from runs.models.run import RunQuerySet

DAY, WEEK = timedelta(days=1), timedelta(days=7)
_LICENCES = 80


@contextmanager
def everything() -> Iterator[None]:
    """See and change the things of all departments; only views for administrators enter it, and say so in the trail."""
    with wall.system("administration: administrators look after things of all departments"):
        yield


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What goes on now."""

    running: int
    queued: int
    waiting: int
    oldest: datetime | None
    """Since when the first in the queue waits."""
    size_bytes: int
    """Of the database."""


def standing() -> Standing:
    """Runs under way, and how large the database is."""
    live = Run.objects.filter(state__in=LIVE_STATES).aggregate(
        running=Count("pk", Q(state=State.RUNNING)),
        queued=Count("pk", Q(state=State.QUEUED)),
        waiting=Count("pk", Q(state=State.WAITING)),
        oldest=Min("queued_at", filter=Q(state=State.QUEUED)),
    )
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_database_size(current_database())")
        size = cursor.fetchone()[0]
    return Standing(**live, size_bytes=size)


def failures() -> list[tuple[str, int, int]]:
    """Why runs failed: the reason, how often within a day, and within a week."""
    now = datetime.now(UTC)
    departments = list(Department.objects.values_list("pk", flat=True))
    found = (
        Run.objects.filter(department__in=departments, finished_at__gte=now - WEEK, state=State.FAILED)
        .values("reason")
        .annotate(day=Count("pk", Q(finished_at__gte=now - DAY)), week=Count("pk"))
        .order_by("-week")
    )
    names = dict(Reason.choices)
    return [(str(names.get(one["reason"], one["reason"]) or "Unknown"), one["day"], one["week"]) for one in found]


def all_runs() -> RunQuerySet:
    """Runs of all departments, with what a list shows; newest first by number, which has the one index over all."""
    return Run.objects.newest_first().select_related("agent", "team", "started_by", "department").order_by("-id")


def all_agents() -> QuerySet[Agent]:
    """Agents of all departments, with owner and department, those that changed last first."""
    return Agent.objects.select_related("department", "owner").defer("draft").order_by("-updated_at", "-id")


def all_teams() -> QuerySet[Team]:
    """The same of teams."""
    return Team.objects.select_related("department", "owner").defer("draft").order_by("-updated_at", "-id")


def priced_models() -> list[tuple[Model, ModelPrice | None]]:
    """Every model with the price that holds now."""
    now = datetime.now(UTC)
    holding = ModelPrice.objects.filter(valid_from__lte=now).order_by("model", "-valid_from").distinct("model")
    known = {one.model_id: one for one in holding}
    found = Model.objects.select_related("provider").order_by("provider__name", "label")
    return [(one, known.get(one.pk)) for one in found]


def version() -> str:
    """Mindloom's own."""
    try:
        return str(tomllib.loads((settings.BASE_DIR / "pyproject.toml").read_text())["project"]["version"])
    except OSError:
        return "unknown"


def packages() -> list[tuple[str, str, str]]:
    """Name, version and licence of what is installed here, by name."""
    found = {one.metadata["Name"].lower(): one for one in distributions() if one.metadata["Name"]}
    return [(one.metadata["Name"], one.version, _licence(one.metadata)) for _, one in sorted(found.items())]


def _licence(metadata: Any) -> str:
    """As the package's metadata says it: an expression, a class, or the first line of a text."""
    classes = [
        line.rpartition(" :: ")[2]
        for line in metadata.get_all("Classifier") or []
        if line.startswith("License :: ") and not line.endswith("OSI Approved")
    ]
    text = (
        metadata.get("License-Expression") or ", ".join(classes) or (metadata.get("License") or "").partition("\n")[0]
    )
    return text[:_LICENCES] or "not said"

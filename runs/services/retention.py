"""How long departments keep runs, the pieces of their logs, and files; and the nightly clearing that holds to it."""

from __future__ import annotations

import logging
import time
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db.models import Count, F, Q, Sum

from accounts.models import Department
from mindloom import wall
from runs import worker
from runs.models import RetentionReport, RunArtifact

if TYPE_CHECKING:
    from collections.abc import Callable

logger = logging.getLogger(__name__)

_STEPS = (("runs", worker.remove_old_runs), ("files", worker.remove_old_files), ("events", worker.prune_events))


@dataclass(frozen=True, kw_only=True)
class Days:
    """How many days things are kept after their run has ended; None is for ever."""

    runs: int | None
    events: int | None
    files: int | None


@dataclass(frozen=True, kw_only=True)
class WouldGo:
    """What a clearing would remove now."""

    runs: int = 0
    events_of_runs: int = 0
    files: int = 0
    files_bytes: int = 0


def days_of(department: Department) -> Days:
    """What holds for the department: its own numbers, or the installation's where it has none."""
    return chosen_days(department.keep_runs_days, department.keep_events_days, department.keep_files_days)


def chosen_days(runs: int | None, events: int | None, files: int | None) -> Days:
    """The same for numbers that are not saved yet."""

    def held(own: int | None, default: int) -> int | None:
        return (default if own is None else own) or None

    return Days(
        runs=held(runs, settings.KEEP_RUNS_DAYS),
        events=held(events, settings.KEEP_EVENTS_DAYS),
        files=held(files, settings.KEEP_FILES_DAYS),
    )


def would_go(department: Department, days: Days) -> WouldGo:
    """What would be removed if the night were now. Inside the department's scope."""
    files = {"count": 0, "bytes": 0}
    going = Q(pk__in=[])
    if days.files is not None:
        going |= Q(run__in=worker.old_files(department.pk, days.files))
    if days.runs is not None:
        going |= Q(run__in=worker.whole_runs(department.pk, days.runs))
    if going:
        files = RunArtifact.objects.filter(going).aggregate(count=Count("pk"), bytes=Sum("size_bytes", default=0))
    return WouldGo(
        runs=worker.whole_runs(department.pk, days.runs).count() if days.runs is not None else 0,
        events_of_runs=worker.unpruned(department.pk, days.events).count() if days.events is not None else 0,
        files=files["count"],
        files_bytes=files["bytes"],
    )


def clear(*, seconds: float, stopped: Callable[[], bool] = lambda: False) -> int:
    """Do what is due tonight, for about so many seconds; returns how many departments are finished. For the scheduler.

    What is not finished goes on with the next call, also in another process: the report's row knows what was done, and each
    step finds by itself what is left.
    """
    until = time.monotonic() + seconds
    done = 0
    for department in _due(_tonight()):
        if stopped() or time.monotonic() >= until:
            break
        with wall.tenant([department.pk]):
            done += _clear(department, _tonight(), until, stopped)
    return done


def _tonight() -> date:
    """The night under way, or the last one: a missed one is caught up, at any hour."""
    return (datetime.now(UTC) - timedelta(hours=settings.RETENTION_HOUR)).date()


def _due(night: date) -> list[Department]:
    with wall.system("retention: which departments were not cleared this night"):
        cleared = RetentionReport.objects.filter(night=night).exclude(finished_at=None).values("department")
        return list(Department.objects.exclude(pk__in=cleared).order_by("pk"))


def _clear(department: Department, night: date, until: float, stopped: Callable[[], bool]) -> bool:
    """Go on with one department's clearing; whether it is finished."""
    report, _ = RetentionReport.objects.get_or_create(department=department, night=night)
    ours = RetentionReport.objects.filter(pk=report.pk)
    days = asdict(days_of(department))
    for kind, step in _STEPS:
        while days[kind] is not None:
            if stopped() or time.monotonic() >= until:
                return False
            began = time.monotonic()
            try:
                removed = step(department.pk, days[kind])
            except Exception as error:
                # The other steps and departments are not held up; the next night tries again.
                logger.exception("Old %s of %s could not be removed", kind, department)
                ours.update(errors=F("errors") + 1, last_error=f"Old {kind}: {type(error).__name__}: {error}"[:500])
                break
            if removed is None:
                break
            added = {name: F(name) + count for name, count in asdict(removed).items()}
            ours.update(seconds=F("seconds") + time.monotonic() - began, **added)
    ours.update(finished_at=datetime.now(UTC))
    return True

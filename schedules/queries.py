"""What pages and the API show of schedules: the next times, the last ones, a week."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import islice, takewhile
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from django.db.models import F, Window
from django.db.models.functions import RowNumber

from schedules.definition import check_moment, notes, times, words
from schedules.models import Occurrence, Schedule

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from accounts.models import User

NEXT = 10
"""Times that are shown before somebody saves a rule."""
LAST = 10
MOST_A_DAY = 4
"""Times of one schedule that a day of the calendar names."""
_DONE = (Occurrence.Outcome.RAN, Occurrence.Outcome.CAUGHT_UP, Occurrence.Outcome.BY_HAND)


@dataclass(frozen=True)
class Preview:
    """A rule in words, with its next times in UTC."""

    words: str
    notes: list[str]
    zone: str
    times: list[datetime]


def preview(rule: dict[str, Any], zone: str, start: datetime | None = None, end: datetime | None = None) -> Preview:
    """What the rule means from now on. Raises `Invalid` for a start or an end that no schedule can have."""
    now = datetime.now(UTC)
    start = check_moment("starts_at", start) if start is not None else None
    end = check_moment("ends_at", end) if end is not None else None
    found = _until(times(rule, zone, now, start or now.replace(second=0, microsecond=0)), end)
    return Preview(words(rule), notes(rule, zone, now), zone, list(islice(found, NEXT)))


def coming(schedule: Schedule) -> list[datetime]:
    """The next times of a schedule, in UTC."""
    if schedule.next_at is None:
        return []
    after = schedule.next_at - timedelta(microseconds=1)
    found = _until(times(schedule.rule, schedule.time_zone, after, schedule.starts_at), schedule.ends_at)
    return list(islice(found, NEXT))


def with_last(schedules: Iterable[Schedule]) -> list[Schedule]:
    """The schedules, each with its `words` and its `last` occurrences, the oldest first."""
    listed = list(schedules)
    numbered = Window(RowNumber(), partition_by=F("schedule"), order_by=F("planned_at").desc())
    rows = Occurrence.objects.filter(schedule__in=listed).annotate(place=numbered).filter(place__lte=LAST)
    last: dict[int, list[Occurrence]] = defaultdict(list)
    for row in with_looks(rows.order_by("planned_at")):
        last[row.schedule_id].append(row)
    for one in listed:
        one.words, one.last = words(one.rule), last[one.pk]  # type: ignore[attr-defined]
    return listed


def with_looks(rows: Iterable[Occurrence]) -> list[Occurrence]:
    """The rows, each with its `look`, and `said`: how it went, in a few words."""
    listed = list(rows)
    for row in listed:
        state = f", {row.run_state}" if row.run_state else ""
        row.look, row.said = look(row), f"{row.get_outcome_display()}{state}"  # type: ignore[attr-defined]
    return listed


def look(occurrence: Occurrence) -> str:
    """How it went, in one word for a dot: ok, failed, running, left out."""
    if occurrence.outcome == Occurrence.Outcome.WAITING:
        return "running"
    if occurrence.outcome not in _DONE:
        bad = occurrence.outcome in {Occurrence.Outcome.NO_RIGHT, Occurrence.Outcome.FAILED_TO_START}
        return "failed" if bad or occurrence.outcome == Occurrence.Outcome.MISSED else "idle"
    return {"": "running", "completed": "ok", "failed": "failed"}.get(occurrence.run_state, "idle")


def week(user: User, department_id: int, first: date, zone: ZoneInfo) -> list[dict[str, Any]]:
    """Seven days from `first` by the reader's clock, with what ran and what will."""
    found = Schedule.objects.visible_to(user).filter(department=department_id).select_related("agent", "team")
    schedules = list(found.order_by("name"))
    return [
        {"day": day, "entries": sorted(_on(schedules, day, zone), key=lambda entry: entry["times"][0]["at"])}
        for day in (first + timedelta(days=number) for number in range(7))
    ]


def _on(schedules: list[Schedule], day: date, zone: ZoneInfo) -> Iterator[dict[str, Any]]:
    """What a day shows of each schedule that has times on it: the first few, and whether there are more."""
    begin, end = (datetime.combine(day + timedelta(days=number), datetime.min.time(), zone) for number in (0, 1))
    numbered = Window(RowNumber(), partition_by=F("schedule"), order_by=F("planned_at").asc())
    rows = Occurrence.objects.filter(schedule__in=schedules, planned_at__gte=begin, planned_at__lt=end)
    decided: dict[int, list[tuple[datetime, str]]] = defaultdict(list)
    for row in rows.annotate(place=numbered).filter(place__lte=MOST_A_DAY + 1).order_by("planned_at"):
        decided[row.schedule_id].append((row.planned_at, look(row)))
    for schedule in schedules:
        some = [*decided[schedule.pk], *islice(_planned(schedule, begin, end), MOST_A_DAY + 1)]
        if some:
            times = [{"at": moment.astimezone(zone), "look": outcome} for moment, outcome in some[:MOST_A_DAY]]
            yield {"schedule": schedule, "times": times, "more": len(some) > MOST_A_DAY}


def _planned(schedule: Schedule, begin: datetime, end: datetime) -> Iterator[tuple[datetime, str]]:
    """Times that have no row yet. Each is worked out, so no more of them should be asked for than are shown."""
    if schedule.next_at is None or schedule.next_at >= end:
        return
    after = max(schedule.next_at, begin.astimezone(UTC)) - timedelta(microseconds=1)
    found = _until(times(schedule.rule, schedule.time_zone, after, schedule.starts_at), schedule.ends_at)
    planned = takewhile(lambda moment: moment < end, found)
    yield from ((moment, "paused" if schedule.is_paused else "planned") for moment in planned)


def _until(found: Iterator[datetime], end: datetime | None) -> Iterator[datetime]:
    return takewhile(lambda moment: end is None or moment <= end, found)

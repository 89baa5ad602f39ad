"""Schedules that a test drives with a clock of its own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from mindloom import wall
from runs.models import LIVE_STATES, Run, State
from schedules import worker
from schedules.models import Schedule
from tests import factories

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


class Clock:
    """The scheduler as it looks at its watch: `at` is what that shows."""

    def __init__(self, at: datetime = NOON) -> None:
        self.at = at

    def tick(self, later: timedelta = timedelta()) -> int:
        """Look now, or so much later."""
        self.at += later
        return worker.tick(self.at, seconds=3600)

    def every(self, step: timedelta, until: datetime) -> None:
        """Look every so often."""
        while self.at < until:
            self.tick(step)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def agent(cast, db):
    with wall.system("tests: an agent to run by the clock"):
        return factories.agent(cast.alice, cast.marketing, name="Scout")


@pytest.fixture
def schedule(agent, cast, clock):
    """Makes Bob's schedule, hourly from noon unless told otherwise; its first time is the start."""

    def make(**fields):
        with wall.tenant([cast.marketing.pk]):
            made = Schedule(
                department=cast.marketing,
                owner=cast.bob,
                agent=agent,
                input="Look around.",
                **(
                    {
                        "name": f"Schedule {Schedule.objects.count()}",
                        "rule": {"kind": "interval", "count": 1, "unit": "hours"},
                        "time_zone": "UTC",
                        "starts_at": clock.at,
                        "next_at": clock.at,
                    }
                    | fields
                ),
            )
            made.save()
        return made

    return make


def ledger(schedule):
    """Time and outcome of each row, the oldest first."""
    with wall.tenant([schedule.department_id]):
        return [(row.planned_at, row.outcome) for row in schedule.occurrences.order_by("planned_at")]


def again(schedule):
    """The row as it is now."""
    with wall.tenant([schedule.department_id]):
        return Schedule.objects.get(pk=schedule.pk)


def outcomes(schedule):
    return [outcome for _, outcome in ledger(schedule)]


def end_runs(state=State.COMPLETED):
    """Everything under way ends so."""
    with wall.system("tests: runs end"):
        return Run.objects.filter(state__in=LIVE_STATES).update(state=state, finished_at=datetime.now(UTC))


def runs_of(schedule):
    with wall.tenant([schedule.department_id]):
        return list(Run.objects.filter(occurrences__schedule=schedule).order_by("pk"))

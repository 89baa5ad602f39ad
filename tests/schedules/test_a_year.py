"""A year by a simulated clock: outages, long runs, both changes of the clock, two schedulers, and not a time too many or too few."""

from __future__ import annotations

import random
from bisect import bisect_right
from datetime import UTC, datetime, timedelta
from itertools import takewhile

import pytest

from mindloom import wall
from runs.models import LIVE_STATES, Run, State
from schedules import worker
from schedules.definition import times
from schedules.models import Schedule
from tests.schedules.conftest import HOUR, MINUTE, ledger

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
END = BEGIN + timedelta(days=365)
ZONES = ("Europe/Brussels", "America/New_York", "Australia/Lord_Howe")
PUNCTUAL = worker.PUNCTUAL


class Model:
    """What the policies say, told once more in the plainest way: from the planned times, when the scheduler looked, and run lengths."""

    def __init__(self, policy, missed, window, length):
        self.policy, self.missed, self.window, self.length = policy, missed, window, length
        self.ends = []
        self.rows = {}
        self.waiting = None

    def live(self, now):
        return any(end > now for end in self.ends)

    def look(self, now, due):
        if self.waiting is not None and not self.live(now):
            self.begin(self.waiting, "ran", now)
            self.waiting = None
        for place, planned in enumerate(due):
            late = now - planned > PUNCTUAL
            if late and (
                self.missed == "skip"
                or now - planned > self.window
                or (self.missed == "latest" and place < len(due) - 1)
            ):
                self.rows[planned] = "missed"
            elif self.policy in {"skip", "queue"} and (self.live(now) or self.waiting is not None):
                wait = self.policy == "queue" and self.waiting is None
                self.rows[planned] = "waiting" if wait else "overlap"
                self.waiting = planned if wait else self.waiting
            else:
                if self.policy == "cancel":
                    self.ends = [min(end, now) for end in self.ends]
                self.begin(planned, "caught_up" if late else "ran", now)

    def begin(self, planned, outcome, now):
        self.rows[planned] = outcome
        self.ends.append(now + self.length)


def looks(chance, planned):
    """When the scheduler looks: a few seconds after each time, sometimes in between, and not in an outage."""
    outages = []
    for length in (MINUTE, 20 * MINUTE, 3 * HOUR, 15 * HOUR, timedelta(days=1), timedelta(days=3)):
        for _ in range(3):
            begin = BEGIN + timedelta(days=chance.uniform(1, 360))
            outages.append((begin, begin + length))
        # And one exactly over a planned time.
        hit = chance.choice(planned[5:-5])
        outages.append((hit - length / 2, hit + length / 2))
    found = {moment + timedelta(seconds=chance.uniform(0.1, 5)) for moment in planned}
    found |= {BEGIN + timedelta(days=chance.uniform(0, 365)) for _ in range(25)}
    found |= {end for _, end in outages}
    up = [moment for moment in found if not any(begin <= moment < end for begin, end in outages)]
    return sorted([*up, END + MINUTE])


def run_ends(lengths):
    """Runs end when the simulated clock says so; `lengths` holds the end of each that has been seen."""

    def end(now, length):
        with wall.system("tests: runs end by the simulated clock"):
            for pk in Run.objects.filter(state__in=LIVE_STATES).values_list("pk", flat=True):
                if lengths.setdefault(pk, now + length) <= now:
                    Run.objects.filter(pk=pk).update(state=State.COMPLETED, finished_at=datetime.now(UTC))

    return end


@pytest.mark.parametrize(
    ("zone", "rule", "policy", "missed", "hours", "length"),
    [
        (ZONES[0], {"kind": "weekly", "days": [7, 1], "at": "02:30"}, "skip", "latest", 12, 25 * HOUR),
        (ZONES[1], {"kind": "weekly", "days": [7], "at": "02:30"}, "allow", "all", 48, 30 * HOUR),
        (ZONES[2], {"kind": "weekly", "days": [6, 7], "at": "02:10"}, "queue", "latest", 12, 27 * HOUR),
        (ZONES[0], {"kind": "cron", "expression": "30 1-3 * * 0"}, "cancel", "skip", 0, 2 * HOUR),
        (ZONES[2], {"kind": "interval", "count": 61, "unit": "hours"}, "queue", "all", 24, 65 * HOUR),
        (ZONES[1], {"kind": "nth", "nth": 2, "weekday": 7, "at": "02:15"}, "skip", "all", 12, MINUTE),
    ],
    ids=["skip", "allow", "queue", "cancel", "interval", "monthly"],
)
def test_each_planned_time_has_one_row_and_the_policys_outcome(schedule, zone, rule, policy, missed, hours, length):
    made = schedule(
        rule=rule,
        time_zone=zone,
        starts_at=BEGIN,
        next_at=next(times(rule, zone, BEGIN, BEGIN)),
        overlap=policy,
        missed=missed,
        catch_up_minutes=hours * 60,
    )
    planned = list(takewhile(lambda moment: moment <= END, times(rule, zone, BEGIN, BEGIN)))
    model, chance = Model(policy, missed, timedelta(hours=hours), length), random.Random(f"{zone} {policy}")
    end, seen = run_ends({}), 0
    for now in looks(chance, planned):
        end(now, length)
        due, seen = planned[seen : bisect_right(planned, now)], bisect_right(planned, now)
        model.look(now, due)
        worker.tick(now, seconds=3600)
        # What this look started lasts so long from now.
        end(now, length)

    rows = {moment: outcome for moment, outcome in ledger(made) if moment <= END}
    assert list(rows) == planned
    assert rows == model.rows
    assert len(set(model.rows.values())) > 1
    with wall.tenant([made.department_id]):
        assert Schedule.objects.get(pk=made.pk).failures == 0

"""Rules: which times they mean, over a year with both changes of the clock, and how they are said."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise, takewhile
from zoneinfo import ZoneInfo

import pytest

from mindloom.web.errors import Invalid
from schedules.definition import check_rule, next_time, notes, times, words

ZONES = ("Europe/Brussels", "America/New_York", "Australia/Lord_Howe")
NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)
YEAR = timedelta(days=365)


def year(rule, zone, start=NEW_YEAR):
    return list(takewhile(lambda moment: moment < NEW_YEAR + YEAR, times(check_rule(rule), zone, start, start)))


def on_the_wall(day, at, zone):
    """When a clock in the zone shows this, worked out without cron: the first of two, and after a gap the moment of the change."""
    hour, minute = (int(part) for part in at.split(":"))
    local = datetime(day.year, day.month, day.day, hour, minute, tzinfo=ZoneInfo(zone))
    moment = local.astimezone(UTC)
    if moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None) == local.replace(tzinfo=None):
        return moment
    # In a gap: the first minute that the clock shows afterwards.
    moment = (local - timedelta(hours=3)).astimezone(UTC)
    while moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None) < local.replace(tzinfo=None):
        moment += timedelta(minutes=1)
    return moment


def days_of(zone):
    first = NEW_YEAR.astimezone(ZoneInfo(zone)).date()
    return [first + timedelta(days=number) for number in range(367)]


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("at", ["00:00", "01:45", "02:00", "02:15", "02:30", "03:00", "07:00", "23:59"])
def test_an_hour_of_the_wall_comes_once_a_day_all_year(zone, at):
    meant = [on_the_wall(day, at, zone) for day in days_of(zone)]

    found = year({"kind": "daily", "at": at}, zone)

    assert found == [moment for moment in meant if NEW_YEAR < moment < NEW_YEAR + YEAR]


@pytest.mark.parametrize(
    ("rule", "holds", "count"),
    [
        ({"kind": "weekdays"}, lambda day: day.isoweekday() <= 5, 261),
        ({"kind": "weekly", "days": [7, 1]}, lambda day: day.isoweekday() in {1, 7}, 104),
        ({"kind": "monthly", "day": 31}, lambda day: day.day == 31, 7),
        ({"kind": "monthly", "day": "last"}, lambda day: (day + timedelta(days=1)).day == 1, 12),
        ({"kind": "nth", "nth": 2, "weekday": 2}, lambda day: day.isoweekday() == 2 and 8 <= day.day <= 14, 12),
        (
            {"kind": "nth", "nth": "last", "weekday": 5},
            lambda day: day.isoweekday() == 5 and (day + timedelta(days=7)).month != day.month,
            12,
        ),
    ],
    ids=lambda value: value["kind"] if isinstance(value, dict) else "",
)
@pytest.mark.parametrize("zone", ZONES)
def test_days_are_those_of_the_calendar(rule, holds, count, zone):
    found = [moment.astimezone(ZoneInfo(zone)).date() for moment in year(rule | {"at": "12:00"}, zone)]

    inside = [day for day in days_of(zone) if NEW_YEAR < on_the_wall(day, "12:00", zone) < NEW_YEAR + YEAR]
    assert found == [day for day in inside if holds(day)]
    assert len(found) == count


@pytest.mark.parametrize("zone", ZONES)
def test_an_interval_is_real_time_and_never_drifts(zone):
    rule, start = {"kind": "interval", "count": 5, "unit": "hours"}, datetime(2026, 1, 1, 0, 7, tzinfo=UTC)

    found = year(rule, zone, start)

    assert found[0] == start + timedelta(hours=5)  # the start is not after itself
    assert {after - before for before, after in pairwise(found)} == {timedelta(hours=5)}
    assert next(times(rule, zone, found[900], start)) == found[901]


def test_the_start_itself_is_a_time_and_the_end_is_one():
    rule = {"kind": "interval", "count": 1, "unit": "hours"}
    start = datetime(2026, 5, 1, 9, tzinfo=UTC)

    assert next_time(rule, "UTC", NEW_YEAR, start, None) == start
    assert next_time(rule, "UTC", start, start, start + timedelta(hours=1)) == start + timedelta(hours=1)
    assert next_time(rule, "UTC", start + timedelta(hours=1), start, start + timedelta(hours=1)) is None
    assert next_time({"kind": "daily", "at": "09:00"}, "UTC", NEW_YEAR, start, None) == start


@pytest.mark.parametrize(
    ("given", "field", "sentence"),
    [
        (None, "kind", "Choose one of"),
        ({"kind": "sometimes"}, "kind", "Choose one of"),
        ({"kind": "daily", "at": "7 o'clock"}, "at", "like 07:00"),
        ({"kind": "daily", "at": "24:00"}, "at", "like 07:00"),
        ({"kind": "daily"}, "at", "like 07:00"),
        ({"kind": "weekly", "days": [], "at": "07:00"}, "days", "at least one day"),
        ({"kind": "weekly", "days": [8], "at": "07:00"}, "days", "at least one day"),
        ({"kind": "monthly", "day": 32, "at": "07:00"}, "day", "1 to 31"),
        ({"kind": "nth", "nth": 5, "weekday": 1, "at": "07:00"}, "nth", "first to fourth"),
        ({"kind": "interval", "count": 0, "unit": "hours"}, "count", "from 1"),
        ({"kind": "interval", "count": True, "unit": "hours"}, "count", "from 1"),
        ({"kind": "interval", "count": 9000, "unit": "hours"}, "count", "more than a year"),
        ({"kind": "interval", "count": 1, "unit": "days"}, "unit", "minutes or hours"),
        ({"kind": "cron", "expression": ""}, "expression", "five fields"),
        ({"kind": "cron", "expression": "* * * * * *"}, "expression", "Five fields"),
        ({"kind": "cron", "expression": "61 * * * *"}, "expression", "Bad minute"),
        ({"kind": "cron", "expression": "0 0 31 2 *"}, "expression", "Bad day-of-month"),
        ({"kind": "cron", "expression": "\x00 * * * *"}, "expression", "can't be read"),
        ({"kind": "cron", "expression": ["*"] * 5}, "expression", "five fields"),
    ],
)
def test_what_is_no_rule_is_said(given, field, sentence):
    with pytest.raises(Invalid) as refused:
        check_rule(given)
    assert sentence in refused.value.fields[field][0]


def test_nothing_is_kept_that_does_not_belong_to_the_kind():
    given = {"kind": "weekly", "days": [4, 1, 4], "at": "07:00", "expression": "* * * * *", "harm": "<script>"}
    assert check_rule(given) == {"kind": "weekly", "days": [1, 4], "at": "07:00"}


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"kind": "interval", "count": 1, "unit": "hours"}, "Every hour"),
        ({"kind": "interval", "count": 15, "unit": "minutes"}, "Every 15 minutes"),
        ({"kind": "daily", "at": "07:00"}, "Every day at 07:00"),
        ({"kind": "weekdays", "at": "07:00"}, "Monday to Friday at 07:00"),
        ({"kind": "weekly", "days": [1, 3, 5], "at": "07:00"}, "Every Monday, Wednesday and Friday at 07:00"),
        ({"kind": "monthly", "day": 22, "at": "07:00"}, "On the 22nd of each month at 07:00"),
        ({"kind": "monthly", "day": "last", "at": "07:00"}, "On the last day of each month at 07:00"),
        ({"kind": "nth", "nth": 2, "weekday": 1, "at": "07:00"}, "On the second Monday of each month at 07:00"),
        ({"kind": "cron", "expression": "0 7 * * 1"}, "At 07:00 on Monday"),
    ],
)
def test_rules_are_said_in_words(rule, said):
    assert words(rule) == said


def noted(rule, zone):
    return " ".join(notes(rule, zone, datetime(2026, 1, 2, tzinfo=UTC)))


def test_what_the_clock_does_is_said():
    brussels = noted({"kind": "daily", "at": "02:30"}, "Europe/Brussels")
    assert (
        "On 29 March 2026 the clock goes from 02:00 to 03:00, so there is no 02:30: it comes at 03:00 that day."
        in brussels
    )
    assert (
        "On 25 October 2026 the clock goes from 03:00 back to 02:00, so 02:30 comes twice: it counts the first time."
        in brussels
    )
    # Half an hour only, and the other way round.
    lord_howe = noted({"kind": "daily", "at": "02:10"}, "Australia/Lord_Howe")
    assert "On 4 October 2026 the clock goes from 02:00 to 02:30, so there is no 02:10: it comes at 02:30" in lord_howe
    assert "it stays at 07:00" in noted({"kind": "daily", "at": "07:00"}, "America/New_York")
    # Changes are on Sundays.
    assert "so there is no" not in noted({"kind": "weekdays", "at": "02:30"}, "Europe/Brussels")
    assert noted({"kind": "daily", "at": "07:00"}, "Asia/Kolkata") == "The clock of Asia/Kolkata does not change."
    assert "Counts real time" in noted({"kind": "interval", "count": 1, "unit": "hours"}, "Europe/Brussels")
    assert "Months without a 31st are left out" in noted({"kind": "monthly", "day": 31, "at": "07:00"}, "UTC")


def test_the_reference_of_these_tests_knows_the_changes():
    gap, fold = date(2026, 3, 29), date(2026, 10, 25)
    assert on_the_wall(gap, "02:30", "Europe/Brussels") == datetime(2026, 3, 29, 1, tzinfo=UTC)
    assert on_the_wall(fold, "02:30", "Europe/Brussels") == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)

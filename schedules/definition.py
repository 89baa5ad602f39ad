"""Rules: the times at which a schedule starts runs, and how people say them.

A rule is a JSON object with its `kind`:

    interval  {"count": 6, "unit": "hours"}        real time, counted from the schedule's start; or "minutes"
    daily     {"at": "07:00"}
    weekdays  {"at": "07:00"}                      Monday to Friday
    weekly    {"days": [1, 4], "at": "07:00"}      1 is Monday
    monthly   {"day": 15, "at": "07:00"}           or "last"
    nth       {"nth": 2, "weekday": 1, "at": …}    the second Monday; "last" for the last one
    cron      {"expression": "*/5 8-18 * * 1-5"}

All but intervals are hours of the wall clock in the schedule's time zone. Cron expressions, into which they are made, are worked out
by cronsim: an hour that the clock skips is made up for at the moment of the change, one that comes twice counts the first time.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, available_timezones

from cronsim import CronSim, CronSimError

from mindloom.web.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Rule = dict[str, Any]

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
NTH = {1: "first", 2: "second", 3: "third", 4: "fourth", "last": "last"}
UNITS = {"minutes": 60, "hours": 3600}
LONGEST_INTERVAL = timedelta(days=366)
LONGEST_EXPRESSION = 100
KINDS = {
    "interval": ("count", "unit"),
    "daily": ("at",),
    "weekdays": ("at",),
    "weekly": ("days", "at"),
    "monthly": ("day", "at"),
    "nth": ("nth", "weekday", "at"),
    "cron": ("expression",),
}
"""The kinds of rules with what each of them says."""
_CRON_NOTE = (
    "When the clock changes: a fixed hour that is skipped is made up for at once, and one that comes twice counts the first time; "
    "what comes every few minutes or hours goes on by the clock."
)
_CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
_LAST = "last"


def check_rule(given: Any) -> Rule:
    """The rule without anything that does not belong to its kind. Raises `Invalid` with the fields at fault."""
    kind = given.get("kind") if isinstance(given, dict) else None
    if not isinstance(kind, str) or kind not in KINDS:
        raise Invalid(fields={"kind": [f"Choose one of: {', '.join(KINDS)}."]})
    fields = {name: sentence for name in KINDS[kind] if (sentence := _CHECKS[name](given.get(name)))}
    if kind == "interval" and not fields and _step(given) > LONGEST_INTERVAL:
        fields["count"] = "That is more than a year."
    if fields:
        raise Invalid(fields={name: [sentence] for name, sentence in fields.items()})
    rule = {"kind": kind, **{name: given[name] for name in KINDS[kind]}}
    return rule | {"days": sorted(set(rule["days"]))} if kind == "weekly" else rule


def check_zone(name: str) -> str:
    """A time zone of the IANA database. Raises `Invalid`."""
    if name not in available_timezones():
        raise Invalid(fields={"time_zone": ["There is no such time zone. Choose one like Europe/Brussels."]})
    return name


def check_moment(name: str, value: Any) -> datetime:
    """A start or an end, to the minute, with room for times before and after it. Raises `Invalid` about `name`."""
    if not isinstance(value, datetime) or value.tzinfo is None or not 2000 <= value.year <= 9000:
        raise Invalid(fields={name: ["Enter a date and a time between the years 2000 and 9000."]})
    return value.replace(second=0, microsecond=0)


def times(rule: Mapping[str, Any], zone: str, after: datetime, start: datetime) -> Iterator[datetime]:
    """The times after `after` and not before `start`, in UTC, in order; intervals count from `start`. Most rules never end."""
    if rule["kind"] == "interval":
        step = _step(rule)
        number = max(0, (after - start) // step + 1)
        while True:
            yield (start + number * step).astimezone(UTC)
            number += 1
    begin = max(after, start - timedelta(microseconds=1))
    for moment in CronSim(_expression(rule), begin.astimezone(ZoneInfo(zone))):
        yield moment.astimezone(UTC)


def next_time(
    rule: Mapping[str, Any], zone: str, after: datetime, start: datetime, end: datetime | None
) -> datetime | None:
    """The first of these times, if there is one that is not after `end`."""
    found = next(times(rule, zone, after, start), None)
    return found if found is not None and (end is None or found <= end) else None


def words(rule: Mapping[str, Any]) -> str:
    """The rule as people say it, without the time zone."""
    kind, at = rule["kind"], rule.get("at")
    if kind == "interval":
        unit = rule["unit"].removesuffix("s")
        return f"Every {unit}" if rule["count"] == 1 else f"Every {rule['count']} {unit}s"
    if kind == "weekly":
        return f"Every {_listed([WEEKDAYS[day - 1] for day in rule['days']])} at {at}"
    if kind == "monthly":
        return f"On the {'last day' if rule['day'] == _LAST else _ordinal(rule['day'])} of each month at {at}"
    if kind == "nth":
        return f"On the {NTH[rule['nth']]} {WEEKDAYS[rule['weekday'] - 1]} of each month at {at}"
    if kind == "cron":
        return str(CronSim(rule["expression"], datetime.now(UTC)).explain())
    return f"{'Every day' if kind == 'daily' else 'Monday to Friday'} at {at}"


def notes(rule: Mapping[str, Any], zone: str, now: datetime) -> list[str]:
    """What a reader may not expect: short months, and what the next changes of the clock do."""
    found = []
    if rule["kind"] == "monthly" and rule["day"] != _LAST and rule["day"] > 28:
        found.append(f"Months without a {_ordinal(rule['day'])} are left out. “The last day” comes in each.")
    changes = list(islice(_changes(ZoneInfo(zone), now), 2))
    if not changes:
        return [*found, f"The clock of {zone} does not change."]
    if rule["kind"] == "interval":
        return [*found, "Counts real time: when the clock changes, the hour that it shows moves."]
    if rule["kind"] == "cron":
        return [*found, _CRON_NOTE]
    return [*found, *(_effect(rule, zone, *change) for change in changes)]


def _effect(rule: Mapping[str, Any], zone: str, moment: datetime, before: timedelta, after: timedelta) -> str:
    """What one change of the clock does to an hour of the day."""
    at = rule["at"]
    old, new = (moment + before).replace(tzinfo=None), (moment + after).replace(tzinfo=None)
    day = f"{old.day} {old:%B %Y}"
    low, high = sorted((old, new))
    hour = datetime.combine(low.date(), datetime.strptime(at, "%H:%M").time())  # noqa: DTZ007 -- an hour of the wall clock
    midnight = datetime.combine(old.date(), datetime.min.time(), ZoneInfo(zone))
    comes = next(times(rule, zone, midnight - timedelta(seconds=1), midnight)).astimezone(ZoneInfo(zone))
    if comes.date() != old.date() or not low <= hour < high:
        way = "forward" if new > old else "back"
        return f"On {day} the clock of {zone} goes {way}; it stays at {at}."
    if new > old:
        return f"On {day} the clock goes from {old:%H:%M} to {new:%H:%M}, so there is no {at}: it comes at {new:%H:%M} that day."
    return (
        f"On {day} the clock goes from {old:%H:%M} back to {new:%H:%M}, so {at} comes twice: it counts the first time."
    )


def _changes(zone: ZoneInfo, now: datetime) -> Iterator[tuple[datetime, timedelta, timedelta]]:
    """Changes of the clock in the next thirteen months: the moment in UTC, the offset before and the one after."""
    day = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    for _ in range(400):
        following = day + timedelta(days=1)
        before, after = _offset(zone, day), _offset(zone, following)
        if before != after:
            low, high = day, following
            while high - low > timedelta(minutes=1):
                middle = low + (high - low) / 2
                low, high = (middle, high) if _offset(zone, middle) == before else (low, middle)
            yield high.replace(second=0, microsecond=0), before, after
        day = following


def _offset(zone: ZoneInfo, moment: datetime) -> timedelta:
    return moment.astimezone(zone).utcoffset() or timedelta()


def _expression(rule: Mapping[str, Any]) -> str:
    if rule["kind"] == "cron":
        return str(rule["expression"])
    hour, minute = (int(part) for part in rule["at"].split(":"))
    which = "L" if rule.get("nth") == _LAST else f"#{rule.get('nth')}"
    days = {
        "weekdays": "* * 1-5",
        "weekly": f"* * {','.join(str(day % 7) for day in rule.get('days', ()))}",
        "monthly": f"{'L' if rule.get('day') == _LAST else rule.get('day')} * *",
        "nth": f"* * {rule.get('weekday', 0) % 7}{which}",
    }
    return f"{minute} {hour} {days.get(rule['kind'], '* * *')}"


def _step(rule: Mapping[str, Any]) -> timedelta:
    return timedelta(seconds=rule["count"] * UNITS[rule["unit"]])


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _ordinal(number: int) -> str:
    ending = "th" if number in {11, 12, 13} else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def _is_whole(value: Any, low: int, high: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def _wrong_expression(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        return "Enter a cron expression of five fields: minute, hour, day of the month, month, day of the week."
    if len(value) > LONGEST_EXPRESSION or len(value.split()) != 5:
        return (
            "Five fields are needed, with a space between them: minute, hour, day of the month, month, day of the week."
        )
    try:
        if next(CronSim(value, datetime.now(UTC)), None) is None:
            return "This never comes."
    except CronSimError as error:
        return f"This can't be read: {error}."
    return ""


_CHECKS = {
    "count": lambda value: "" if _is_whole(value, 1, 1_000_000) else "Enter a whole number from 1.",
    "unit": lambda value: "" if value in tuple(UNITS) else "Choose minutes or hours.",
    "at": lambda value: (
        "" if isinstance(value, str) and _CLOCK.fullmatch(value) else "Enter a time of the day like 07:00."
    ),
    "days": lambda value: (
        ""
        if isinstance(value, list) and value and all(_is_whole(day, 1, 7) for day in value)
        else "Choose at least one day."
    ),
    "day": lambda value: "" if value == _LAST or _is_whole(value, 1, 31) else "Choose a day from 1 to 31, or the last.",
    "nth": lambda value: "" if value == _LAST or _is_whole(value, 1, 4) else "Choose the first to fourth, or the last.",
    "weekday": lambda value: "" if _is_whole(value, 1, 7) else "Choose a day of the week.",
    "expression": _wrong_expression,
}
"""For each part of a rule what is wrong with a value, in a sentence; empty when nothing is."""

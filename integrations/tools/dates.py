"""The calendar and the clock."""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from integrations.tools.base import Setup, Tool, function
from mindloom.engine.ports import ToolContext, ToolError, ToolFunction

_DATE = {"type": "string", "description": "A date as YYYY-MM-DD"}
_MOST_DAYS = 1_000_000


def _date(value: Any) -> dt.date:
    try:
        return dt.date.fromisoformat(str(value).strip()[:10])
    except ValueError:
        raise ToolError(f"“{str(value)[:40]}” is not a date. Write it as YYYY-MM-DD, such as 2026-11-30.") from None


def _now(arguments: dict[str, Any], context: ToolContext) -> str:
    name = str(arguments.get("timezone") or "UTC").strip()
    if name not in available_timezones():
        raise ToolError(f"“{name[:60]}” is not a time zone. Write it like Europe/Berlin or UTC.")
    now = dt.datetime.now(ZoneInfo(name))
    return f"{now:%A}, {now.date().isoformat()} {now:%H:%M} ({name}, UTC{now:%z}), week {now.isocalendar().week}"


def _difference(arguments: dict[str, Any], context: ToolContext) -> str:
    start, end = _date(arguments["start"]), _date(arguments["end"])
    days = (end - start).days
    weeks, rest = divmod(abs(days), 7)
    return f"From {start} ({start:%A}) to {end} ({end:%A}): {days} days ({weeks} weeks and {rest} days); {_weekdays(start, end)} weekdays."


def _weekdays(start: dt.date, end: dt.date) -> int:
    """Mondays to Fridays after the earlier date, up to and with the later one."""
    first, last = sorted((start, end))
    weeks, rest = divmod((last - first).days, 7)
    return weeks * 5 + sum((first.weekday() + step) % 7 < 5 for step in range(1, rest + 1))


def _add(arguments: dict[str, Any], context: ToolContext) -> str:
    start, days = _date(arguments["date"]), int(arguments["days"])
    if abs(days) > _MOST_DAYS:
        raise ToolError(f"At most {_MOST_DAYS:,} days can be added.")
    try:
        end = start + dt.timedelta(days=days)
    except OverflowError:
        raise ToolError("That date is outside the calendar, which goes from year 1 to 9999.") from None
    return f"{start} plus {days} days is {end} ({end:%A})"


def _functions(setup: Setup) -> list[ToolFunction]:
    return [
        function(
            "current_datetime",
            "Tell the current date, time, weekday and week number.",
            {"timezone": {"type": "string", "description": "Such as Europe/Berlin; UTC when left out"}},
            _now,
            required=(),
        ),
        function(
            "date_difference",
            "Count the days and weekdays between two dates.",
            {"start": _DATE, "end": _DATE},
            _difference,
            required=("start", "end"),
        ),
        function(
            "add_to_date",
            "Add days to a date, or subtract them with a negative number.",
            {"date": _DATE, "days": {"type": "integer", "description": "How many days; negative to go back"}},
            _add,
            required=("date", "days"),
        ),
    ]


TOOL = Tool(
    key="datetime",
    name="Date and time",
    description="Knows today’s date and counts days between dates.",
    icon="calendar-clock",
    effect="reads",
    functions=_functions,
)

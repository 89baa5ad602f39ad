"""What a person fills in for a schedule. The services check."""

from __future__ import annotations

from datetime import time as clock
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from django import forms

from accounts.services.people import time_zones
from runs.forms import PREFIX, RunForm
from schedules.definition import KINDS, NTH, WEEKDAYS
from schedules.models import Schedule

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

LABELS = {
    "daily": "Every day",
    "weekdays": "Monday to Friday",
    "weekly": "On days of the week",
    "monthly": "On a day of the month",
    "nth": "On the first, second … of a weekday in the month",
    "interval": "Every so many hours or minutes",
    "cron": "Cron expression",
}
_PLAIN = ("name", "input", "time_zone", "overlap", "missed", "catch_up_minutes", "not_after", "pause_after")
"""Fields that are called and written as in the row."""
_NUMBERS = {"inputmode": "numeric", "autocomplete": "off"}


class _Hour(forms.TimeField):
    """An hour of the wall clock, to the minute."""

    def __init__(self, **options: Any) -> None:
        widget = forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
        sentence = {"invalid": "Enter a time of the day like 07:00."}
        super().__init__(widget=widget, input_formats=["%H:%M"], error_messages=sentence, **options)


class _Moment(forms.DateTimeField):
    """A date and a time by the clock of the schedule's own zone."""

    def __init__(self, **options: Any) -> None:
        widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
        formats = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"]
        sentence = {"invalid": "Enter a date and a time."}
        super().__init__(widget=widget, input_formats=formats, required=False, error_messages=sentence, **options)

    def to_python(self, value: Any) -> datetime | None:
        """Without a zone; the form knows it."""
        found = super().to_python(value)
        return found.replace(tzinfo=None) if found is not None else None

    def prepare_value(self, value: Any) -> Any:
        """As it was given."""
        return value


class RuleForm(forms.Form):
    """When runs start. Fields that do not belong to the chosen kind are hidden by the page, and left out."""

    kind = forms.ChoiceField(label="When", choices=list(LABELS.items()), initial="daily")
    days = forms.TypedMultipleChoiceField(
        label="Days",
        choices=[(str(number), name) for number, name in enumerate(WEEKDAYS, 1)],
        coerce=int,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        initial=["1"],
    )
    day = forms.ChoiceField(
        label="Day of the month",
        choices=[*((str(number), str(number)) for number in range(1, 32)), ("last", "the last day")],
        required=False,
    )
    nth = forms.ChoiceField(
        label="Which", choices=[(str(number), name) for number, name in NTH.items()], required=False
    )
    weekday = forms.ChoiceField(
        label="Day of the week",
        choices=[(str(number), name) for number, name in enumerate(WEEKDAYS, 1)],
        required=False,
    )
    at = _Hour(label="At", required=False, initial=clock(7))
    count = forms.IntegerField(label="Every", required=False, initial=6, widget=forms.TextInput(attrs=_NUMBERS))
    unit = forms.ChoiceField(label="Unit", choices=[("hours", "hours"), ("minutes", "minutes")], required=False)
    expression = forms.CharField(
        label="Expression",
        required=False,
        max_length=100,
        help_text="Minute, hour, day of the month, month, day of the week: “0 7 * * 1-5” is 07:00 from Monday to Friday.",
        widget=forms.TextInput(attrs={"class": "mono", "autocomplete": "off", "spellcheck": "false"}),
    )
    time_zone = forms.ChoiceField(choices=lambda: [(zone, zone.replace("_", " ")) for zone in time_zones()])
    starts_at = _Moment(label="Not before", help_text="By the clock of the time zone.")
    ends_at = _Moment(label="Not after")

    def rule(self) -> dict[str, Any]:
        """The rule as the services take it."""
        given = self.cleaned_data
        whole = {
            name: int(given[name]) if str(given[name]).isdigit() else given[name] for name in ("day", "nth", "weekday")
        }
        at = given["at"].strftime("%H:%M") if given["at"] else ""
        return {"kind": given["kind"], **{name: (given | whole | {"at": at})[name] for name in KINDS[given["kind"]]}}

    def moments(self) -> dict[str, datetime | None]:
        """Start and end; a start that is left out stays what it was."""
        zone = ZoneInfo(self.cleaned_data["time_zone"])
        named = {name: self.cleaned_data.get(name) for name in ("starts_at", "ends_at")}
        found = {name: value.replace(tzinfo=zone) if value else None for name, value in named.items()}
        return found if found["starts_at"] else {"ends_at": found["ends_at"]}


class ScheduleForm(RuleForm, RunForm):
    """A schedule: its times, what it does in trouble, and what the agent or team is asked."""

    name = forms.CharField(max_length=80, help_text="What people see in the list.")
    overlap = forms.ChoiceField(
        label="When the run before is still under way", choices=Schedule.Overlap.choices, initial=Schedule.Overlap.SKIP
    )
    missed = forms.ChoiceField(
        label="Times at which Mindloom was not at work", choices=Schedule.Missed.choices, initial=Schedule.Missed.LATEST
    )
    catch_up_minutes = forms.IntegerField(
        label="Catch up for so many minutes", min_value=0, initial=720, widget=forms.TextInput(attrs=_NUMBERS)
    )
    not_after = _Hour(label="Never catch up after", required=False, help_text="An hour of its day; empty for any hour.")
    pause_after = forms.IntegerField(
        label="Pause after so many failures in a row",
        min_value=0,
        initial=3,
        help_text="0 to go on whatever happens.",
        widget=forms.TextInput(attrs=_NUMBERS),
    )

    def __init__(
        self,
        variables: list[dict[str, Any]],
        data: Any,
        *,
        kind: str,
        initial: Mapping[str, Any],
        row: Schedule | None = None,
    ) -> None:
        super().__init__(variables, data, kind=kind, initial={})
        variables_of = row.variables if row is not None else {}
        given = {f"{PREFIX}{name}": value for name, value in variables_of.items()}
        self.initial = {**self.initial, **given, **initial, **(_initial(row) if row is not None else {})}

    @property
    def asked(self) -> list[forms.BoundField]:
        """The fields of the agent or team."""
        return [self[name] for name in self.fields if name.startswith(PREFIX) or name == "input"]

    def values_for_service(self) -> dict[str, Any]:
        """What the services take."""
        given = self.cleaned_data
        return {
            **{name: given[name] for name in _PLAIN if name in given},
            "variables": self.values,
            "rule": self.rule(),
            **self.moments(),
        }


def _initial(row: Schedule) -> dict[str, Any]:
    zone = ZoneInfo(row.time_zone)
    moments = {name: getattr(row, name) for name in ("starts_at", "ends_at")}
    return {
        **{name: getattr(row, name) for name in _PLAIN},
        **row.rule,
        **{name: value.astimezone(zone).strftime("%Y-%m-%dT%H:%M") for name, value in moments.items() if value},
    }

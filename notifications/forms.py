"""How a person wants to be told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms

from accounts.forms import PeopleForm
from notifications.models import Choice, Kind

if TYPE_CHECKING:
    from notifications.models import Preference

_MAIL = "mail_"
_SHOWN = "shown_"


class PreferenceForm(PeopleForm):
    """For each kind whether it is shown and when it is mailed, and the hour of the daily mail."""

    daily_hour = forms.TypedChoiceField(
        label="Daily mail at",
        coerce=int,
        choices=[(hour, f"{hour:02d}:00") for hour in range(24)],
        help_text="In your time zone. Without anything new no mail is sent.",
    )

    def __init__(self, data: Any = None, *, kept: Preference) -> None:
        initial: dict[str, Any] = {"daily_hour": kept.daily_hour}
        for kind in Kind.values:
            initial |= {_SHOWN + kind: kind not in kept.hidden, _MAIL + kind: kept.choice(kind).value}
        super().__init__(data, initial=initial)
        for kind in Kind:
            self.fields[_SHOWN + kind.value] = forms.BooleanField(label=f"Show: {kind.label}", required=False)
            self.fields[_MAIL + kind.value] = forms.ChoiceField(label=f"Mail: {kind.label}", choices=Choice.choices)

    def rows(self) -> list[dict[str, Any]]:
        """The kinds, each with its two fields."""
        return [{"kind": kind, "shown": self[_SHOWN + kind.value], "mail": self[_MAIL + kind.value]} for kind in Kind]

    def values(self) -> dict[str, Any]:
        """What `services.choose` takes."""
        data = self.cleaned_data
        return {
            "hidden": [kind for kind in Kind.values if not data[_SHOWN + kind]],
            "mail": {kind: data[_MAIL + kind] for kind in Kind.values},
            "daily_hour": data["daily_hour"],
        }

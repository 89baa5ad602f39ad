"""What people fill in about what is their own."""

from __future__ import annotations

from django import forms

from accounts.forms.people import PeopleForm
from accounts.models import Scope
from accounts.services.personal_tokens import NAME_LENGTH


class TokenForm(PeopleForm):
    """A new personal token."""

    name = forms.CharField(
        max_length=NAME_LENGTH,
        help_text="What it is for.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "placeholder": "Nightly report"}),
    )
    days = forms.TypedChoiceField(
        label="Expires",
        coerce=int,
        initial=90,
        choices=[(7, "In 7 days"), (30, "In 30 days"), (90, "In 90 days"), (365, "In a year")],
    )
    scopes = forms.MultipleChoiceField(
        label="May, besides reading",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        choices=[
            (Scope.RUN, "Run\nStart, stop and repeat runs, answer their questions, talk in conversations"),
            (Scope.WRITE, "Change\nMake, change and delete agents, teams, buckets, schedules and the rest"),
        ],
    )

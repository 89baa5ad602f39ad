"""Proving oneself: codes, names of passkeys, and the password once more before something changes."""

from __future__ import annotations

from typing import Any

from django import forms

from accounts.forms.people import PeopleForm, _address, _password
from accounts.models import Role, User
from accounts.services.passkeys import LONGEST_ANSWER, NAME_LENGTH

NOBODY = "nobody"


def _code(hint: str) -> forms.CharField:
    attributes = {
        "autocomplete": "one-time-code",
        "spellcheck": "false",
        "autocapitalize": "off",
        "autofocus": "",
        "class": "code",
    }
    return forms.CharField(label="Code", max_length=64, widget=forms.TextInput(attrs=attributes), help_text=hint)


class CodeForm(PeopleForm):
    """The second step of signing in."""

    code = _code("Six digits from your authenticator app, or one of your recovery codes.")


class AppForm(PeopleForm):
    """The first code of a new authenticator app."""

    code = _code("The six digits that the app shows now.")


class ProveForm(PeopleForm):
    """The password once more: whoever finds an open browser must not change how its person signs in."""

    password = _password("Your password")

    def __init__(self, *args: Any, person: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not person.has_usable_password():
            # They come by the organisation's sign-in; that they did just now stands for the password.
            del self.fields["password"]


class AddressForm(ProveForm):
    """A new address."""

    email = _address()
    field_order = ("email", "password")


class PasskeyForm(ProveForm):
    """A new passkey; the browser fills its answer in."""

    name = forms.CharField(
        max_length=NAME_LENGTH,
        help_text="By which you know it again: the device, or the password manager.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "placeholder": "My laptop"}),
    )
    answer = forms.CharField(required=False, max_length=LONGEST_ANSWER, widget=forms.HiddenInput)
    field_order = ("name", "password", "answer")


class SignInRulesForm(PeopleForm):
    """Of whom in the department a second factor is asked."""

    second_factor_from = forms.ChoiceField(
        label="A second factor is asked of",
        widget=forms.RadioSelect,
        choices=[
            (NOBODY, "Nobody\nWhoever wants one sets it up on their profile"),
            (Role.MANAGER, "Managers\nThey let people in, and change what all use"),
            (Role.MEMBER, "Members and managers\nWhoever can run and change agents"),
            (Role.VIEWER, "Everybody\nViewers too"),
        ],
    )

    def clean_second_factor_from(self) -> str:
        """The least role, or "" for nobody."""
        value: str = self.cleaned_data["second_factor_from"]
        return "" if value == NOBODY else value

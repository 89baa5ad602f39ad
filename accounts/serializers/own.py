"""Sessions and personal tokens as the API takes and shows them."""

from __future__ import annotations

from rest_framework import serializers

from accounts.models import BrowserSession, PersonalToken, Scope
from accounts.services.personal_tokens import LONGEST_DAYS, NAME_LENGTH
from mindloom.web.api import StrictSerializer


class Session(serializers.ModelSerializer[BrowserSession]):
    """A browser that is signed in."""

    class Meta:
        model = BrowserSession
        fields = ["uuid", "device", "ip_address", "signed_in_at", "last_used_at"]


class EndSessions(StrictSerializer):
    """Nothing needs to be said."""


class NewToken(StrictSerializer):
    """A personal token to be made."""

    name = serializers.CharField(max_length=NAME_LENGTH)
    scopes = serializers.ListField(
        child=serializers.ChoiceField(Scope.choices),
        max_length=len(Scope),
        help_text="Every token may read; “run” starts and stops runs, “write” changes the rest.",
    )
    days = serializers.IntegerField(min_value=1, max_value=LONGEST_DAYS, help_text="Until it expires.")


class Token(serializers.ModelSerializer[PersonalToken]):
    """A personal token, without its text."""

    scopes = serializers.ListField(child=serializers.ChoiceField(Scope.choices))

    class Meta:
        model = PersonalToken
        fields = ["uuid", "name", "hint", "scopes", "created_at", "expires_at", "last_used_at"]


class MadeToken(Token):
    """A personal token that was just made, with its text."""

    token = serializers.CharField(help_text="Send it as Authorization: Bearer <token>. Never shown again.")

    class Meta(Token.Meta):
        fields = [*Token.Meta.fields, "token"]

"""People and departments as the API takes and shows them."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from accounts.models import Department, Membership, Role, User
from accounts.queries import departments_of, memberships_of, roles_of
from accounts.services.people import DENSITIES, NAME_LENGTH, THEMES
from accounts.services.strength import LONGEST_PASSWORD
from mindloom.web.api import StrictSerializer


def _password(**options: Any) -> serializers.CharField:
    style = {"input_type": "password"}
    return serializers.CharField(
        max_length=LONGEST_PASSWORD, trim_whitespace=False, write_only=True, style=style, **options
    )


class Register(StrictSerializer):
    """What one signs up with."""

    email = serializers.CharField(max_length=254)
    password = _password()
    name = serializers.CharField(max_length=NAME_LENGTH)
    department = serializers.UUIDField(help_text="One of GET departments.")


class Login(StrictSerializer):
    """What one signs in with."""

    email = serializers.CharField(max_length=254)
    password = _password()
    code = serializers.CharField(
        max_length=64,
        required=False,
        write_only=True,
        help_text="Of the authenticator app, or a recovery code; asked of people with a second factor.",
    )


class Refresh(StrictSerializer):
    """A refresh token."""

    refresh = serializers.CharField(max_length=4096)


class Forgot(StrictSerializer):
    """The address that a link is mailed to, if it has an account."""

    email = serializers.CharField(max_length=254)


class Reset(StrictSerializer):
    """A new password, with the two parts of the mailed link."""

    uid = serializers.CharField(max_length=64)
    token = serializers.CharField(max_length=200)
    password = _password()


class ProfileChanges(StrictSerializer):
    """What a person may change about themselves."""

    name = serializers.CharField(max_length=NAME_LENGTH, required=False)
    theme = serializers.ChoiceField(THEMES, required=False)
    time_zone = serializers.CharField(max_length=64, required=False, help_text="An IANA name, as in Europe/Berlin.")
    density = serializers.ChoiceField(DENSITIES, required=False)
    has_shortcuts = serializers.BooleanField(required=False, help_text="Whether single keys act on pages.")


class Said(serializers.Serializer[Any]):
    """A sentence."""

    detail = serializers.CharField()


class Tokens(serializers.Serializer[Any]):
    """What an API client keeps."""

    access = serializers.CharField(help_text="Send it as Authorization: Bearer <access>.")
    refresh = serializers.CharField(help_text="Good for one POST auth/refresh.")
    token_type = serializers.CharField()
    expires_in = serializers.IntegerField(help_text="Seconds until the access token expires.")


class DepartmentChoice(serializers.ModelSerializer[Department]):
    """A department that one can sign up for."""

    class Meta:
        model = Department
        fields = ["uuid", "name"]


class OwnDepartment(serializers.Serializer[Any]):
    """A department that the person works in."""

    uuid = serializers.UUIDField()
    name = serializers.CharField()
    slug = serializers.CharField()
    role = serializers.ChoiceField(Role.choices)


class Waiting(serializers.ModelSerializer[Membership]):
    """A department whose managers have not answered yet."""

    uuid = serializers.UUIDField(source="department.uuid")
    name = serializers.CharField(source="department.name")
    since = serializers.DateTimeField(source="created_at")

    class Meta:
        model = Membership
        fields = ["uuid", "name", "since"]


class Me(serializers.Serializer[Any]):
    """The person who asks."""

    uuid = serializers.UUIDField()
    email = serializers.EmailField()
    email_confirmed = serializers.BooleanField()
    name = serializers.CharField()
    theme = serializers.ChoiceField(THEMES)
    time_zone = serializers.CharField()
    density = serializers.ChoiceField(DENSITIES)
    has_shortcuts = serializers.BooleanField()
    second_factor_at = serializers.DateTimeField(allow_null=True)
    is_administrator = serializers.BooleanField()
    joined_at = serializers.DateTimeField()
    departments = OwnDepartment(many=True)
    pending = Waiting(many=True)
    current_department = serializers.UUIDField(
        allow_null=True, help_text="The one chosen in the browser's session; with a token, the first."
    )


def described(user: User, current: Department | None) -> dict[str, Any]:
    """The person as `Me` shows them."""
    roles = roles_of(user)
    departments = list(departments_of(user))
    own = [{"uuid": one.uuid, "name": one.name, "slug": one.slug, "role": roles[one.pk]} for one in departments]
    current = current or (departments[0] if departments else None)
    shown = {
        "uuid": user.uuid,
        "email": user.email,
        "email_confirmed": user.email_confirmed_at is not None,
        "name": user.name,
        "theme": user.theme,
        "time_zone": user.time_zone,
        "density": user.density,
        "has_shortcuts": user.has_shortcuts,
        "second_factor_at": user.second_factor_at,
        "is_administrator": user.is_administrator,
        "joined_at": user.joined_at,
        "departments": own,
        "pending": [one for one in memberships_of(user) if not one.is_active],
        "current_department": current.uuid if current else None,
    }
    return dict(Me(shown).data)

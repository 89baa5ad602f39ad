"""Departments, their members and those who are invited, as the API takes and shows them."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from accounts.models import (
    EXECUTORS,
    LEAST_POD_CPU,
    LEAST_POD_MEMORY_MB,
    MOST_MEGABYTES,
    MOST_POD_CPU,
    MOST_POD_MEMORY_MB,
    MOST_RUNNING,
    Department,
    Invitation,
    Membership,
    Role,
    User,
)
from accounts.services.departments import NAME_LENGTH as DEPARTMENT_NAME_LENGTH
from accounts.services.invitations import MOST_AT_ONCE
from accounts.services.people import NAME_LENGTH
from mindloom.web.api import StrictSerializer


class DepartmentOut(serializers.ModelSerializer[Department]):
    """A department."""

    max_running = serializers.IntegerField(allow_null=True, help_text="Runs at once; null: as the installation says.")
    storage_mb = serializers.IntegerField(allow_null=True, help_text="Null: no limit.")
    run_executor = serializers.ChoiceField(
        choices=EXECUTORS,
        allow_blank=True,
        help_text="Where its runs are carried out; empty: as the installation says.",
    )
    max_pod_cpu = serializers.FloatField(allow_null=True, help_text="In cores; null: as the installation says.")
    max_pod_memory_mb = serializers.IntegerField(allow_null=True, help_text="Null: as the installation says.")

    class Meta:
        model = Department
        fields = (
            *("uuid", "name", "slug", "email_domains", "max_running", "storage_mb"),
            *("run_executor", "max_pod_cpu", "max_pod_memory_mb", "archived_at"),
        )


class DepartmentChanges(StrictSerializer):
    """What changes of a department; the rest stays."""

    name = serializers.CharField(max_length=DEPARTMENT_NAME_LENGTH, required=False)
    email_domains = serializers.ListField(
        child=serializers.CharField(max_length=253),
        required=False,
        help_text="Whoever confirms an address there is let in without a manager.",
    )
    max_running = serializers.IntegerField(min_value=1, max_value=MOST_RUNNING, allow_null=True, required=False)
    storage_mb = serializers.IntegerField(min_value=1, max_value=MOST_MEGABYTES, allow_null=True, required=False)
    run_executor = serializers.ChoiceField(choices=EXECUTORS, allow_blank=True, required=False)
    max_pod_cpu = serializers.FloatField(
        min_value=LEAST_POD_CPU, max_value=MOST_POD_CPU, allow_null=True, required=False, help_text="In cores."
    )
    max_pod_memory_mb = serializers.IntegerField(
        min_value=LEAST_POD_MEMORY_MB, max_value=MOST_POD_MEMORY_MB, allow_null=True, required=False
    )


class NewDepartment(DepartmentChanges):
    """A department to be made."""

    name = serializers.CharField(max_length=DEPARTMENT_NAME_LENGTH)


class PersonOut(serializers.ModelSerializer[User]):
    """A person."""

    email_confirmed = serializers.SerializerMethodField()
    is_administrator = serializers.BooleanField(source="is_superuser")

    class Meta:
        model = User
        fields = (
            "uuid",
            "name",
            "email",
            "email_confirmed",
            "is_active",
            "is_administrator",
            "joined_at",
            "last_login",
        )

    def get_email_confirmed(self, person: User) -> bool:
        """Whether the person has shown that the address is theirs."""
        return person.email_confirmed_at is not None


class MemberOut(serializers.ModelSerializer[Membership]):
    """Somebody who belongs to a department, or waits for its managers."""

    uuid = serializers.UUIDField(source="user.uuid")
    name = serializers.CharField(source="user.name")
    email = serializers.CharField(source="user.email")
    since = serializers.DateTimeField(source="created_at")

    class Meta:
        model = Membership
        fields = ("uuid", "name", "email", "role", "status", "since")


class MemberChanges(StrictSerializer):
    """What changes of a membership."""

    role = serializers.ChoiceField(Role.choices, required=False)
    status = serializers.ChoiceField([("active", "Let in")], required=False, help_text="Lets in somebody who waits.")


class InvitationOut(serializers.ModelSerializer[Invitation]):
    """Somebody who was invited and has not answered."""

    invited_by = serializers.UUIDField(source="invited_by.uuid")

    class Meta:
        model = Invitation
        fields = ("uuid", "email", "name", "role", "invited_by", "created_at", "expires_at")


class _Wanted(StrictSerializer):
    """Somebody to be invited."""

    email = serializers.CharField(max_length=254)
    name = serializers.CharField(max_length=NAME_LENGTH, required=False, allow_blank=True)
    role = serializers.ChoiceField(Role.choices, required=False)


class InvitationsIn(StrictSerializer):
    """Those to be invited."""

    people = serializers.ListField(child=_Wanted(), min_length=1, max_length=MOST_AT_ONCE)


class InvitedOut(serializers.Serializer[Any]):
    """What became of each address."""

    invitations = InvitationOut(many=True, source="sent")
    passed_over = serializers.DictField(
        source="passed", child=serializers.CharField(), help_text="Why an address was passed over, by address."
    )


class Removed(serializers.Serializer[Any]):
    """What was handed over, by kind."""

    handed_over = serializers.DictField(child=serializers.IntegerField())

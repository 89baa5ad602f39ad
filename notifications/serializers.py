"""Notifications as the API shows them, and what it takes."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from mindloom.web.api import StrictSerializer
from notifications.models import BY_ITSELF, Choice, Kind, Notification, Preference
from notifications.queries import told


class NotificationOut(serializers.ModelSerializer[Notification]):
    """Something that you are told."""

    department = serializers.UUIDField(source="department.uuid")
    title = serializers.SerializerMethodField()
    text = serializers.SerializerMethodField()
    path = serializers.SerializerMethodField(help_text="Of the page that it is about.")
    count = serializers.IntegerField(help_text="How often it happened before you read it.")

    class Meta:
        model = Notification
        fields = ("uuid", "kind", "department", "title", "text", "path", "count", "at", "read_at")

    def get_title(self, one: Notification) -> str:
        """In a few words."""
        return told(one).title

    def get_text(self, one: Notification) -> str:
        """In a sentence."""
        return told(one).text

    def get_path(self, one: Notification) -> str:
        """Below the installation's address."""
        return told(one).path


class ReadIn(StrictSerializer):
    """What was seen."""

    uuids = serializers.ListField(
        child=serializers.UUIDField(), max_length=1_000, required=False, help_text="Without it, all of them."
    )


class ReadOut(serializers.Serializer[Any]):
    """How many were unread."""

    read = serializers.IntegerField()


class PreferenceOut(serializers.Serializer[Preference]):
    """How you are told."""

    hidden = serializers.ListField(child=serializers.ChoiceField(Kind.choices), help_text="Kinds that are not shown.")
    mail = serializers.SerializerMethodField(help_text="When each kind is mailed: now, daily or never.")
    daily_hour = serializers.IntegerField(help_text="Of the daily mail, in your time zone.")

    def get_mail(self, kept: Preference) -> dict[str, str]:
        """By kind."""
        return {kind.value: kept.choice(kind).value for kind in BY_ITSELF}


class PreferenceIn(StrictSerializer):
    """What changes; the rest stays."""

    hidden = serializers.ListField(child=serializers.ChoiceField(Kind.choices), required=False)
    mail = serializers.DictField(child=serializers.ChoiceField(Choice.choices), required=False)
    daily_hour = serializers.IntegerField(min_value=0, max_value=23, required=False)

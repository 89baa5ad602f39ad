"""Webhooks and their deliveries as the API shows and takes them."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from mindloom.web.api import StrictSerializer
from webhooks.models import TOLD_STATES, Attempt, Delivery, Webhook

STATES = [one.value for one in TOLD_STATES]


class WebhookOut(serializers.ModelSerializer[Webhook]):
    """A webhook. Its secret is shown when it is made, and never again."""

    department = serializers.UUIDField(source="department.uuid")
    states = serializers.ListField(child=serializers.ChoiceField(STATES), help_text="The states of runs that are told.")
    target = serializers.UUIDField(
        source="target_uuid", allow_null=True, help_text="The agent or team whose runs are told; null for all."
    )

    class Meta:
        model = Webhook
        fields = [
            *("uuid", "name", "url", "states", "target", "target_kind", "target_name", "department", "secret_hint"),
            *("former_until", "is_enabled", "disabled_reason", "failing_since", "created_at", "updated_at"),
        ]


class WebhookWithSecret(WebhookOut):
    """A webhook with the secret that its messages are signed with. It is null when an answer is repeated."""

    secret = serializers.CharField(allow_null=True)

    class Meta(WebhookOut.Meta):
        fields = [*WebhookOut.Meta.fields, "secret"]


class WebhookFields(StrictSerializer):
    """What a webhook is made of."""

    states = serializers.ListField(
        child=serializers.CharField(max_length=16),
        required=False,
        max_length=20,
        help_text=f"Some of: {', '.join(STATES)}. All when left out of a new one.",
    )
    target = serializers.UUIDField(
        required=False, allow_null=True, help_text="Only runs of this agent or team are told; null for all."
    )


class NewWebhook(WebhookFields):
    """What makes a webhook."""

    name = serializers.CharField()
    url = serializers.CharField(max_length=2_000)
    department = serializers.UUIDField(required=False, help_text="The first one that you manage, when left out.")


class WebhookChanges(WebhookFields):
    """Changes of a webhook. What is left out stays."""

    name = serializers.CharField(required=False)
    url = serializers.CharField(required=False, max_length=2_000)
    is_enabled = serializers.BooleanField(required=False)


class AttemptOut(serializers.ModelSerializer[Attempt]):
    """One try. Without a duration it is under way, or was broken off."""

    class Meta:
        model = Attempt
        fields = ["number", "started_at", "duration_ms", "response_status", "response_excerpt", "error"]


class DeliveryOut(serializers.ModelSerializer[Delivery]):
    """One message for a webhook."""

    id = serializers.CharField(source="message_id", help_text="The header webhook-id, the same at every try.")
    run = serializers.UUIDField(source="run_uuid", allow_null=True)
    attempts = serializers.IntegerField(source="attempt_count")

    class Meta:
        model = Delivery
        fields = [
            *("uuid", "id", "type", "run", "state", "attempts", "next_attempt_at", "response_status", "error"),
            *("created_at", "finished_at"),
        ]


class DeliveryDetail(DeliveryOut):
    """One message with what it says and every try to deliver it."""

    message = serializers.SerializerMethodField(help_text="What is sent.")
    attempt_log = serializers.SerializerMethodField(help_text="The last hundred tries, the newest first.")

    class Meta(DeliveryOut.Meta):
        fields = [*DeliveryOut.Meta.fields, "message", "attempt_log"]

    @extend_schema_field(serializers.DictField())
    def get_message(self, delivery: Delivery) -> Any:
        """The message, as JSON."""
        return self.context["message"]

    @extend_schema_field(AttemptOut(many=True))
    def get_attempt_log(self, delivery: Delivery) -> Any:
        """The tries."""
        return AttemptOut(delivery.attempts.order_by("-number")[:100], many=True).data

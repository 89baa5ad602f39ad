"""Webhooks in the Django admin: to be looked at. Secrets are left out on purpose."""

from __future__ import annotations

from django.contrib import admin

from mindloom.web.admin import LookOnly
from webhooks.models import Attempt, Delivery, Webhook


@admin.register(Webhook)
class WebhookAdmin(LookOnly, admin.ModelAdmin):
    """Every webhook of every department."""

    list_display = ("name", "department", "is_enabled", "failing_since", "disabled_reason", "updated_at")
    list_filter = ("is_enabled", "department")
    list_select_related = ("department",)
    search_fields = ("name", "uuid")
    fields = (
        *("uuid", "name", "department", "created_by", "url", "states", "target_kind", "target_name", "secret_hint"),
        *("former_until", "is_enabled", "disabled_reason", "failing_since", "created_at", "updated_at"),
    )


class AttemptInline(LookOnly, admin.TabularInline):
    """Every try of a delivery."""

    model = Attempt
    extra = 0
    ordering = ("number",)
    fields = ("number", "started_at", "duration_ms", "response_status", "error", "response_excerpt")


@admin.register(Delivery)
class DeliveryAdmin(LookOnly, admin.ModelAdmin):
    """Every message of every department."""

    list_display = (
        "message_id",
        "department",
        "webhook",
        "type",
        "state",
        "attempt_count",
        "next_attempt_at",
        "created_at",
    )
    list_filter = ("state", "type", "department")
    list_select_related = ("department", "webhook")
    search_fields = ("uuid", "run_uuid", "webhook__name")
    ordering = ("-id",)
    inlines = (AttemptInline,)

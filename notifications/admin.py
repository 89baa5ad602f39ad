"""Notifications in the Django admin: to be looked at."""

from __future__ import annotations

from django.contrib import admin

from mindloom.web.admin import LookOnly
from notifications.models import Notification, Preference


@admin.register(Notification)
class NotificationAdmin(LookOnly, admin.ModelAdmin):
    """What everybody is told."""

    list_display = ("kind", "person", "department", "subject", "count", "at", "read_at", "mail", "mail_tries")
    list_filter = ("kind", "mail", "department")
    list_select_related = ("person", "department")
    search_fields = ("person__email", "subject")
    raw_id_fields = ("person",)


@admin.register(Preference)
class PreferenceAdmin(LookOnly, admin.ModelAdmin):
    """How people want to be told."""

    list_display = ("person", "hidden", "daily_hour", "mailed_on")
    list_select_related = ("person",)
    search_fields = ("person__email",)

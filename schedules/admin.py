"""Schedules in the Django admin: to be looked at."""

from __future__ import annotations

from django.contrib import admin

from mindloom.web.admin import LookOnly
from schedules.models import Occurrence, Schedule


@admin.register(Schedule)
class ScheduleAdmin(LookOnly, admin.ModelAdmin):
    """Every schedule of every department."""

    list_display = ("name", "department", "owner", "agent", "team", "time_zone", "next_at", "failures", "paused_at")
    list_filter = ("department", "overlap", "missed")
    list_select_related = ("department", "owner", "agent", "team")
    search_fields = ("name", "uuid")


@admin.register(Occurrence)
class OccurrenceAdmin(LookOnly, admin.ModelAdmin):
    """Every time of every schedule."""

    list_display = ("schedule", "department", "planned_at", "outcome", "run_uuid", "run_state", "decided_at")
    list_filter = ("outcome", "department")
    list_select_related = ("department", "schedule")
    search_fields = ("schedule__name", "run_uuid")
    ordering = ("-planned_at",)
    raw_id_fields = ("run",)

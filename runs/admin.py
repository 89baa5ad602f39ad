"""Runs in the Django admin: to be looked at. What happened is not edited.

Events have a composite key, which the admin cannot show; the run's own page shows them all.
"""

from __future__ import annotations

from django.contrib import admin

from mindloom.web.admin import LookOnly
from runs.models import RetentionReport, Run, RunArtifact


@admin.register(Run)
class RunAdmin(LookOnly, admin.ModelAdmin):
    """Every run of every department."""

    list_display = ("number", "department", "agent", "state", "reason", "started_by", "queued_at", "claimed_by")
    list_filter = ("state", "reason", "trigger", "department")
    list_select_related = ("department", "agent", "started_by")
    search_fields = ("uuid", "agent__name", "started_by__email")
    ordering = ("-id",)
    show_full_result_count = False


@admin.register(RunArtifact)
class RunArtifactAdmin(LookOnly, admin.ModelAdmin):
    """Every file of every run."""

    list_display = ("name", "department", "run", "media_type", "size_bytes", "created_at")
    list_select_related = ("department", "run")
    search_fields = ("name", "uuid", "sha256")
    ordering = ("-id",)
    show_full_result_count = False


@admin.register(RetentionReport)
class RetentionReportAdmin(LookOnly, admin.ModelAdmin):
    """What every night's clearing removed."""

    list_display = ("night", "department", "runs", "events", "files", "bytes_freed", "seconds", "errors", "finished_at")
    list_filter = ("department",)
    list_select_related = ("department",)
    ordering = ("-night", "department")
    show_full_result_count = False

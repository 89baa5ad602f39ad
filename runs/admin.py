"""Runs in the Django admin: to be looked at. What happened is not edited.

Events have a composite key, which the admin cannot show; the run's own page shows them all.
"""

from __future__ import annotations

from django.contrib import admin

from mindloom.web.admin import LookOnly
from runs.models import Approval, Conversation, PersonMemory, RetentionReport, Run, RunArtifact, StrayFile, UsageRecord


@admin.register(Run)
class RunAdmin(LookOnly, admin.ModelAdmin):
    """Every run of every department."""

    list_display = ("number", "department", "agent", "state", "reason", "started_by", "queued_at", "claimed_by")
    list_filter = ("state", "reason", "trigger", "department")
    list_select_related = ("department", "agent", "started_by")
    search_fields = ("=uuid", "=started_by__email", "=id")
    search_help_text = (
        "The number or uuid of a run, or the whole address of who started it. The list of all runs searches words."
    )
    ordering = ("-id",)


@admin.register(RunArtifact)
class RunArtifactAdmin(LookOnly, admin.ModelAdmin):
    """Every file of every run."""

    list_display = ("name", "department", "run", "media_type", "size_bytes", "created_at")
    list_select_related = ("department", "run")
    search_fields = ("name", "uuid", "sha256")
    ordering = ("-id",)


@admin.register(RetentionReport)
class RetentionReportAdmin(LookOnly, admin.ModelAdmin):
    """What every night's clearing removed."""

    list_display = ("night", "department", "runs", "events", "files", "bytes_freed", "seconds", "errors", "finished_at")
    list_filter = ("department",)
    list_select_related = ("department",)
    ordering = ("-night", "department")


@admin.register(Approval)
class ApprovalAdmin(LookOnly, admin.ModelAdmin):
    """Every question to people, and what was decided."""

    list_display = ("tool", "department", "run", "kind", "state", "decided_by", "decided_at", "created_at")
    list_filter = ("state", "department")
    list_select_related = ("department", "run", "decided_by")
    search_fields = ("=uuid", "=tool")
    ordering = ("-id",)


@admin.register(UsageRecord)
class UsageRecordAdmin(LookOnly, admin.ModelAdmin):
    """The ledger: what every request to a model used."""

    list_display = ("at", "department", "run_uuid", "provider", "model", "tokens_in", "tokens_out", "cost", "failed")
    list_filter = ("department", "failed")
    list_select_related = ("department",)
    search_fields = ("=run_uuid",)
    ordering = ("-id",)


@admin.register(Conversation)
class ConversationAdmin(LookOnly, admin.ModelAdmin):
    """Who talks with what. What was said belongs to those who said it, and stands in their runs."""

    list_display = ("uuid", "department", "owner", "agent", "team", "created_at", "updated_at")
    list_filter = ("department",)
    list_select_related = ("department", "owner", "agent", "team")
    search_fields = ("=uuid", "=owner__email")
    ordering = ("-id",)
    fields = ("uuid", "department", "owner", "agent", "team", "created_at", "updated_at")


@admin.register(PersonMemory)
class PersonMemoryAdmin(LookOnly, admin.ModelAdmin):
    """Of whom agents and teams remember something; what it is, is theirs to see."""

    list_display = ("uuid", "department", "person", "agent", "team", "updated_at")
    list_filter = ("department",)
    list_select_related = ("department", "person", "agent", "team")
    search_fields = ("=person__email",)
    ordering = ("-id",)
    fields = ("uuid", "department", "person", "agent", "team", "updated_at")


@admin.register(StrayFile)
class StrayFileAdmin(LookOnly, admin.ModelAdmin):
    """Stored files whose rows are gone, until they are removed."""

    list_display = ("path", "department", "size_bytes", "created_at")
    list_select_related = ("department",)
    ordering = ("-id",)

"""Buckets in the Django admin: to be looked at."""

from __future__ import annotations

from django.contrib import admin

from buckets.models import Bucket, Chunk, Content, Document, Generation, Question, Version, WebSource
from mindloom.web.admin import LookOnly


@admin.register(Bucket)
class BucketAdmin(LookOnly, admin.ModelAdmin):
    """Every bucket of every department."""

    list_display = ("name", "department", "owner", "visibility", "language", "archived_at", "updated_at")
    list_filter = ("visibility", "language", "department")
    list_select_related = ("department", "owner")
    search_fields = ("name", "uuid")


class VersionInline(LookOnly, admin.TabularInline):
    """Every version of a document."""

    model = Version
    extra = 0
    ordering = ("-id",)
    fields = ("number", "state", "reason", "attempts", "lease_until", "chunk_count", "created_at", "finished_at")
    readonly_fields = fields


@admin.register(Document)
class DocumentAdmin(LookOnly, admin.ModelAdmin):
    """Every document of every department."""

    list_display = ("name", "bucket", "department", "newest", "live", "updated_at")
    list_filter = ("newest__state", "department")
    list_select_related = ("bucket", "department", "newest", "live")
    search_fields = ("name", "uuid")
    inlines = (VersionInline,)


@admin.register(Content)
class ContentAdmin(LookOnly, admin.ModelAdmin):
    """The stored files."""

    list_display = ("sha256", "department", "kind", "size_bytes", "page_count", "stored_at", "extracted_at")
    list_filter = ("kind", "department")
    list_select_related = ("department",)
    search_fields = ("sha256", "uuid")


@admin.register(Version)
class VersionAdmin(LookOnly, admin.ModelAdmin):
    """Every version of every document."""

    list_display = ("document", "number", "department", "state", "reason", "attempts", "created_at", "finished_at")
    list_filter = ("state", "department")
    list_select_related = ("document", "department")
    search_fields = ("=uuid",)
    ordering = ("-id",)


@admin.register(Generation)
class GenerationAdmin(LookOnly, admin.ModelAdmin):
    """How the passages of every bucket were made, and when."""

    list_display = ("bucket", "number", "department", "state", "language", "passage_length", "created_at", "live_at")
    list_filter = ("state", "department")
    list_select_related = ("bucket", "department")
    ordering = ("-id",)


@admin.register(WebSource)
class WebSourceAdmin(LookOnly, admin.ModelAdmin):
    """Every address that documents are fetched from."""

    list_display = ("url", "bucket", "department", "kind", "is_wanted", "reason", "fetched_at")
    list_filter = ("is_wanted", "department")
    list_select_related = ("bucket", "department")
    search_fields = ("url",)
    ordering = ("-id",)


@admin.register(Question)
class QuestionAdmin(LookOnly, admin.ModelAdmin):
    """The questions that buckets are tested with."""

    list_display = ("text", "bucket", "department", "document", "added_by", "created_at")
    list_filter = ("department",)
    list_select_related = ("bucket", "department", "document", "added_by")
    ordering = ("-id",)


@admin.register(Chunk)
class ChunkAdmin(LookOnly, admin.ModelAdmin):
    """The passages, by document; there may be millions, so they are found by the number of their document."""

    list_display = ("id", "number", "page", "heading")
    search_fields = ("=document__id",)
    search_help_text = "The number of a document."
    ordering = ("-id",)
    fields = (
        "id",
        "document",
        "version",
        "bucket",
        "department",
        "number",
        "page",
        "label",
        "heading",
        "text",
        "language",
    )

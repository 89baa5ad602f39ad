"""Buckets in the Django admin: to be looked at."""

from __future__ import annotations

from django.contrib import admin

from buckets.models import Bucket, Content, Document, Version
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


@admin.register(Document)
class DocumentAdmin(LookOnly, admin.ModelAdmin):
    """Every document of every department."""

    list_display = ("name", "bucket", "department", "newest", "live", "updated_at")
    list_filter = ("newest__state", "department")
    list_select_related = ("bucket", "department", "newest", "live")
    search_fields = ("name", "uuid")
    show_full_result_count = False
    inlines = (VersionInline,)


@admin.register(Content)
class ContentAdmin(LookOnly, admin.ModelAdmin):
    """The stored files."""

    list_display = ("sha256", "department", "kind", "size_bytes", "page_count", "stored_at", "extracted_at")
    list_filter = ("kind", "department")
    list_select_related = ("department",)
    search_fields = ("sha256", "uuid")
    show_full_result_count = False

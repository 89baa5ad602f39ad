"""The audit trail in the Django admin, to read."""

from __future__ import annotations

from django.contrib import admin

from audit.models import Entry
from mindloom.web.admin import LookOnly


@admin.register(Entry)
class EntryAdmin(LookOnly, admin.ModelAdmin):
    list_display = ("at", "actor_label", "action", "target_kind", "target_label", "ip_address")
    list_filter = ("action", "target_kind")
    search_fields = ("actor_label", "target_label", "target_id")
    ordering = ("-id",)
    list_per_page = 100
    show_full_result_count = False

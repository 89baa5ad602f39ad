"""The audit trail in the Django admin, to read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin

from audit.models import Entry

if TYPE_CHECKING:
    from django.http import HttpRequest


@admin.register(Entry)
class EntryAdmin(admin.ModelAdmin):
    list_display = ("at", "actor_label", "action", "target_kind", "target_label", "ip_address")
    list_filter = ("action", "target_kind")
    search_fields = ("actor_label", "target_label", "target_id")
    ordering = ("-id",)
    list_per_page = 100
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

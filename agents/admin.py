"""Agents and versions in the Django admin, to look at. Changes go through the pages, which check and record them."""

from __future__ import annotations

from typing import Any

from django.contrib import admin

from agents.models import Agent, AgentVersion


class _LookOnly:
    def has_add_permission(self, request: Any, obj: Any = None) -> bool:
        """Not here."""
        return False

    def has_change_permission(self, request: Any, obj: Any = None) -> bool:
        """Not here."""
        return False

    def has_delete_permission(self, request: Any, obj: Any = None) -> bool:
        """Not here."""
        return False


@admin.register(Agent)
class AgentAdmin(_LookOnly, admin.ModelAdmin):
    list_display = ("name", "department", "owner", "visibility", "published", "archived_at", "updated_at")
    list_filter = ("department", "visibility")
    list_select_related = ("department", "owner", "published")
    search_fields = ("name", "description")


@admin.register(AgentVersion)
class AgentVersionAdmin(_LookOnly, admin.ModelAdmin):
    list_display = ("agent", "number", "department", "published_by", "published_at")
    list_filter = ("department",)
    list_select_related = ("agent", "department", "published_by")

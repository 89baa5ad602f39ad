"""Agents and versions in the Django admin, to look at. Changes go through the pages, which check and record them."""

from __future__ import annotations

from django.contrib import admin

from agents.models import Agent, AgentVersion
from mindloom.web.admin import LookOnly


@admin.register(Agent)
class AgentAdmin(LookOnly, admin.ModelAdmin):
    list_display = ("name", "department", "owner", "visibility", "published", "archived_at", "updated_at")
    list_filter = ("department", "visibility")
    list_select_related = ("department", "owner", "published")
    search_fields = ("name", "description")


@admin.register(AgentVersion)
class AgentVersionAdmin(LookOnly, admin.ModelAdmin):
    list_display = ("agent", "number", "department", "published_by", "published_at")
    list_filter = ("department",)
    list_select_related = ("agent", "department", "published_by")

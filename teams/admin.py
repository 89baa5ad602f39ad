"""Teams and versions in the Django admin, to look at. Changes go through the pages, which check and record them."""

from __future__ import annotations

from django.contrib import admin

from mindloom.web.admin import LookOnly
from teams.models import Team, TeamVersion


@admin.register(Team)
class TeamAdmin(LookOnly, admin.ModelAdmin):
    list_display = ("name", "department", "owner", "visibility", "published", "archived_at", "updated_at")
    list_filter = ("department", "visibility")
    list_select_related = ("department", "owner", "published")
    search_fields = ("name", "description")


@admin.register(TeamVersion)
class TeamVersionAdmin(LookOnly, admin.ModelAdmin):
    list_display = ("team", "number", "department", "published_by", "published_at")
    list_filter = ("department",)
    list_select_related = ("team", "department", "published_by")

"""Switches in the Django admin, to look at."""

from __future__ import annotations

from django.contrib import admin

from features.models import Switch
from mindloom.web.admin import LookOnly


@admin.register(Switch)
class SwitchAdmin(LookOnly, admin.ModelAdmin):
    list_display = ("name", "is_on", "changed_at", "changed_by")

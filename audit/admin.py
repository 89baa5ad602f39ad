"""The audit trail in the Django admin, to read."""

from __future__ import annotations

from django.contrib import admin

from audit.models import ChainKey, Entry, Head, Link
from mindloom.web.admin import LookOnly


@admin.register(Entry)
class EntryAdmin(LookOnly, admin.ModelAdmin):
    list_display = ("at", "actor_label", "action", "target_kind", "target_label", "ip_address")
    # Whole words and no list of all actions: both are looked up in an index, however many entries there are.
    search_fields = ("=actor_label", "=target_id", "=action")
    search_help_text = (
        "An e-mail address, an identifier or an action, whole. The audit trail's own page has more filters."
    )
    ordering = ("-id",)
    list_per_page = 100


@admin.register(Link)
class LinkAdmin(LookOnly, admin.ModelAdmin):
    list_display = ("seq", "entry_id", "key")
    search_fields = ("=entry_id",)
    ordering = ("-seq",)
    fields = ("seq", "entry_id", "key")


@admin.register(Head)
class HeadAdmin(LookOnly, admin.ModelAdmin):
    list_display = ("seq", "key")
    fields = ("seq", "key")


@admin.register(ChainKey)
class ChainKeyAdmin(LookOnly, admin.ModelAdmin):
    list_display = ("number", "made_at")
    # The sealed key is left out on purpose.
    fields = ("number", "made_at")

"""Providers, models, connections and MCP servers in the Django admin. Secrets are set in the pages of Mindloom and never shown."""

from __future__ import annotations

from typing import ClassVar

from django.contrib import admin

from integrations.models import Connection, McpServer, Model, ModelPrice, ModelProvider
from mindloom.web.admin import LookOnly


class ModelInline(LookOnly, admin.TabularInline):
    """A provider's models."""

    model = Model
    extra = 0
    fields = ("model_id", "label", "context_window", "supports_tools", "is_enabled")


@admin.register(ModelProvider)
class ModelProviderAdmin(LookOnly, admin.ModelAdmin):
    list_display = ("name", "kind", "base_url", "is_enabled", "key_hint", "updated_at")
    list_filter = ("kind", "is_enabled")
    search_fields = ("name", "base_url")
    # The sealed key is left out on purpose.
    fields = ("uuid", "name", "kind", "base_url", "api_version", "headers", "is_enabled", "key_hint")
    inlines: ClassVar = [ModelInline]


class PriceInline(LookOnly, admin.TabularInline):
    """A model's prices."""

    model = ModelPrice
    extra = 0
    fields = ("valid_from", "input_price", "cached_price", "output_price", "set_by")


@admin.register(Model)
class ModelAdmin(LookOnly, admin.ModelAdmin):
    list_display = ("label", "provider", "model_id", "is_default", "is_enabled")
    list_filter = ("provider", "is_enabled")
    list_select_related = ("provider",)
    search_fields = ("label", "model_id")
    inlines: ClassVar = [PriceInline]


@admin.register(Connection)
class ConnectionAdmin(LookOnly, admin.ModelAdmin):
    list_display = ("name", "kind", "department", "owner", "visibility", "is_enabled", "last_test_ok", "updated_at")
    list_filter = ("kind", "department", "is_enabled")
    list_select_related = ("department", "owner")
    search_fields = ("name",)
    # The sealed secrets are left out on purpose.
    fields = (
        *("uuid", "name", "kind", "department", "owner", "visibility", "settings", "is_enabled"),
        *("last_tested_at", "last_test_ok", "last_test_message"),
    )


@admin.register(McpServer)
class McpServerAdmin(LookOnly, admin.ModelAdmin):
    list_display = ("name", "slug", "url", "is_enabled", "last_check_ok", "last_checked_at")
    list_filter = ("is_enabled",)
    search_fields = ("name", "url")
    fields = (
        *("uuid", "name", "slug", "description", "url", "headers", "secret_header", "secret_hint", "effects"),
        *("timeout_seconds", "departments", "functions", "is_enabled", "last_checked_at", "last_check_ok"),
    )

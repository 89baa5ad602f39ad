"""The integrations app."""

from __future__ import annotations

from django.apps import AppConfig


class IntegrationsConfig(AppConfig):
    """Named here so that Django finds it."""

    name = "integrations"

    def ready(self) -> None:
        """Say which rows have owners."""
        from accounts.services.owning import has_owners
        from integrations.models import Connection

        has_owners("connection", Connection)

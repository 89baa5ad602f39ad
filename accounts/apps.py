"""The accounts app."""

from __future__ import annotations

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Notes sign-ins in the audit trail."""

    name = "accounts"

    def ready(self) -> None:
        """Called once the apps are loaded."""
        from accounts import receivers

        receivers.connect()

"""The teams app."""

from __future__ import annotations

from django.apps import AppConfig


class TeamsConfig(AppConfig):
    """Named here so that Django finds it."""

    name = "teams"

    def ready(self) -> None:
        """Say which rows have owners."""
        from accounts.services.owning import has_owners
        from teams.models import Team

        has_owners("team", Team)

"""The schedules app."""

from __future__ import annotations

from django.apps import AppConfig


class SchedulesConfig(AppConfig):
    """Named here so that Django finds it."""

    name = "schedules"

    def ready(self) -> None:
        """Say which rows have owners."""
        from accounts.services.owning import has_owners
        from schedules.models import Schedule

        has_owners("schedule", Schedule)

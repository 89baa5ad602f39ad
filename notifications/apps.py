"""The notifications app."""

from __future__ import annotations

from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    """Named here so that Django finds it."""

    name = "notifications"

    def ready(self) -> None:
        """Say what is one person's own."""
        from accounts.services.own_data import forgets, has_data
        from notifications.services import forget_person, own_notifications

        has_data("notifications", own_notifications)
        forgets(forget_person)

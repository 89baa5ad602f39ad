"""The schedules app."""

from __future__ import annotations

from django.apps import AppConfig


class SchedulesConfig(AppConfig):
    """Named here so that Django finds it."""

    name = "schedules"

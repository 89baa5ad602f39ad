"""The teams app."""

from __future__ import annotations

from django.apps import AppConfig


class TeamsConfig(AppConfig):
    """Named here so that Django finds it."""

    name = "teams"

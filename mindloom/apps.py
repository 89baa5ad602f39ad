"""The project as a Django app: system checks and commands."""

from __future__ import annotations

from django.apps import AppConfig
from django.core.checks import Tags, register


class MindloomConfig(AppConfig):
    """Registers the wall's check with Django."""

    name = "mindloom"

    def ready(self) -> None:
        """Called once the apps are loaded."""
        from mindloom.wall.checks import check_wall  # needs loaded apps

        register(check_wall, Tags.database)

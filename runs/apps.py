"""The runs app."""

from __future__ import annotations

from django.apps import AppConfig


class RunsConfig(AppConfig):
    """Named here so that Django finds it."""

    name = "runs"

    def ready(self) -> None:
        """Say which rows take space."""
        from accounts.services.storing import takes_space
        from runs.models import RunArtifact

        takes_space(RunArtifact)

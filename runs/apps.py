"""The runs app."""

from __future__ import annotations

from django.apps import AppConfig


class RunsConfig(AppConfig):
    """Named here so that Django finds it."""

    name = "runs"

    def ready(self) -> None:
        """Say which rows take space, and which are one person's own."""
        from accounts.services.own_data import forgets, has_data
        from accounts.services.storing import takes_space
        from runs.models import RunArtifact
        from runs.services.own_data import forget_person, own_conversations, own_memories, own_runs

        has_data("runs", own_runs)
        has_data("conversations", own_conversations)
        has_data("memories", own_memories)
        forgets(forget_person)

        takes_space(RunArtifact)

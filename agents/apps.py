"""The agents app."""

from __future__ import annotations

from django.apps import AppConfig


class AgentsConfig(AppConfig):
    """Named here so that Django finds it."""

    name = "agents"

    def ready(self) -> None:
        """Say which rows have owners."""
        from accounts.services.owning import has_owners
        from agents.models import Agent

        has_owners("agent", Agent)

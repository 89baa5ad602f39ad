"""The agents app."""

from __future__ import annotations

from django.apps import AppConfig


class AgentsConfig(AppConfig):
    """Named here so that Django finds it."""

    name = "agents"

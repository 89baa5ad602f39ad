"""The runs app."""

from __future__ import annotations

from django.apps import AppConfig


class RunsConfig(AppConfig):
    """Named here so that Django finds it."""

    name = "runs"

"""The administration app."""

from __future__ import annotations

from django.apps import AppConfig


class AdministrationConfig(AppConfig):
    """Named here so that Django finds it."""

    name = "administration"

"""The features app."""

from __future__ import annotations

from django.apps import AppConfig


class FeaturesConfig(AppConfig):
    """Named here so that Django finds it."""

    name = "features"

"""The webhooks app."""

from __future__ import annotations

from django.apps import AppConfig


class WebhooksConfig(AppConfig):
    """Named here so that Django finds it."""

    name = "webhooks"

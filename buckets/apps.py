"""The buckets app."""

from __future__ import annotations

from django.apps import AppConfig


class BucketsConfig(AppConfig):
    """Named here so that Django finds it."""

    name = "buckets"

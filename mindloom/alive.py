"""A file that worker and scheduler touch while they go round, for whoever looks after their container (`mindloom.healthy`)."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from django.conf import settings

EVERY_SECONDS = 5.0


def touch() -> None:
    """Say that this process goes round; nothing without ALIVE_FILE, and nothing when its disk is full."""
    if settings.ALIVE_FILE:
        with suppress(OSError):
            Path(settings.ALIVE_FILE).touch()

"""Makes an entry for KEY_RING."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from mindloom.environment import new_key


class Command(BaseCommand):
    help = "Print a new key. Put it before the others in KEY_RING, then run rotate_keys."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(new_key())

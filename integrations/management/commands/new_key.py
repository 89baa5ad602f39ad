"""`manage.py new_key`: print an entry for KEY_RING."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from mindloom.environment import new_key


class Command(BaseCommand):
    help = "Print a new entry for KEY_RING. Put it first, keep the old ones, then run manage.py rotate_keys."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(new_key())

"""Fills an empty installation with the demonstration."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from mindloom.demo import seed


class Command(BaseCommand):
    help = "Make the demonstration's departments, people, agents and runs; changes nothing that is there."

    def handle(self, *args: Any, **options: Any) -> None:
        seed()

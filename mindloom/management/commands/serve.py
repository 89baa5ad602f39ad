"""One part of Mindloom, for containers and services: the web process, a worker, or the scheduler."""

from __future__ import annotations

import os
import sys
from typing import Any

from django.core.management.base import BaseCommand

from mindloom.management.commands.run import commands
from mindloom.wall.checks import refuse_open_wall


class Command(BaseCommand):
    help = "Become one part of Mindloom: web, worker or scheduler. The servers must be there, and the tables (manage.py migrate)."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("part", choices=["web", "worker", "scheduler"])
        parser.add_argument("--host", default="0.0.0.0")  # noqa: S104 -- others reach a container from outside
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("more", nargs="*", help="After --: options of uvicorn or celery, such as -Q documents")

    def handle(self, *args: Any, **options: Any) -> None:
        refuse_open_wall()
        command = [*commands(options["host"], options["port"])[options["part"]], *options["more"]]
        # This process becomes the part, so that it is the one that is told to stop.
        sys.stdout.flush()
        os.execv(command[0], command)  # noqa: S606 -- our own commands, and what the operator adds

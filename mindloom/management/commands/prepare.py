"""What an installation needs before its processes start: tables, a wall that holds, models, static files, the demonstration."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.core.management.base import BaseCommand

from integrations.services import ensure_defaults
from mindloom.wall.checks import refuse_open_wall

MARK = ".collected"
# Of the packages' files we serve the admin's and Swagger's; the rest would be compressed for nobody.
UNUSED = ["rest_framework", "redoc"]


class Command(BaseCommand):
    help = "Migrate, check, set up the providers that the environment names, collect the static files when they changed, and make the demonstration."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--no-demo", action="store_true", help="Leave out the demonstration.")
        parser.add_argument(
            "--no-static", action="store_true", help="The static files are collected already, as in an image."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        refuse_open_wall()
        call_command("migrate", verbosity=0, interactive=False)
        call_command("check", databases=["default"])
        ensure_defaults()
        if not options["no_static"]:
            _collect_static()
        if not options["no_demo"]:
            call_command("seed_demo")


def _collect_static() -> None:
    """Collect static files, which takes seconds, unless the same ones were collected before."""
    mark, now = Path(settings.STATIC_ROOT) / MARK, _fingerprint()
    if mark.exists() and mark.read_text() == now:
        return
    mark.unlink(missing_ok=True)
    call_command("collectstatic", verbosity=0, interactive=False, ignore_patterns=UNUSED)
    mark.write_text(now)


def _fingerprint() -> str:
    """Changes whenever a file is added, removed or written, or is to be stored in another way."""
    found = hashlib.sha256(settings.STORAGES["staticfiles"]["BACKEND"].encode())
    for finder in get_finders():
        for name, storage in finder.list(UNUSED):
            stat = Path(storage.path(name)).stat()
            found.update(f"{name}\0{stat.st_size}\0{stat.st_mtime_ns}\n".encode())
    return found.hexdigest()

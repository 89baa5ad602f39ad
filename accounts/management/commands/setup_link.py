"""Print the link with which the operator of a fresh installation makes its first administrator."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.services import setup_link
from mindloom.web.errors import Conflict


class Command(BaseCommand):
    help = "Print a link, good for one hour and one use, that makes the first administrator."

    def handle(self, *_args: Any, **_options: Any) -> None:
        try:
            address = setup_link()
        except Conflict as error:
            raise CommandError(error.message) from None
        self.stdout.write("Open this link within an hour to make the first administrator:")
        self.stdout.write(address)

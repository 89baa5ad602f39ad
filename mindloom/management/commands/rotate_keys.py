"""`manage.py rotate_keys`: close every stored secret with the newest key of KEY_RING."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts import services as accounts
from audit.services import renew_key
from integrations import services as integrations
from mindloom.keyring import KeyringError
from webhooks import services as webhooks


class Command(BaseCommand):
    help = "Close every stored secret with the newest key of KEY_RING. After it, older keys can be removed."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            renew_key()
            count = accounts.reseal_apps() + integrations.reseal() + webhooks.reseal()
        except KeyringError as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"{count} secrets were closed with the newest key; older keys are not needed any more.")

"""Keys of providers: closed when they come, opened for runs."""

from __future__ import annotations

from urllib.parse import urlsplit
from uuid import UUID

from django.db import transaction

from audit.services import record
from integrations import keyring
from integrations.models import ModelProvider
from mindloom.web.errors import Invalid, Unavailable

_LONGEST_KEY = 4_000


def open_secret(ref: str, base_url: str) -> str:
    """The secret that a spec names, such as "provider:<uuid>", to be sent to `base_url` ("": the kind's own address).

    A run may be older than the provider's address: a key is only ever opened for the host it was entered for. Raises
    `Unavailable` with a sentence for people.
    """
    kind, _, text = ref.partition(":")
    try:
        uuid = UUID(text)
    except ValueError:
        raise Unavailable("The run names a secret in a form that is not known.") from None
    provider = ModelProvider.objects.filter(uuid=uuid).first() if kind == "provider" else None
    if provider is None:
        raise Unavailable("The key's provider is gone. An administrator can set it up again under Models.")
    if not provider.is_enabled:
        raise Unavailable(f"The provider “{provider.name}” is switched off. Choose another model.")
    if urlsplit(provider.base_url).netloc != urlsplit(base_url).netloc:
        raise Unavailable(
            f"The address of “{provider.name}” has changed since this run was set up, and its key is not sent to the old "
            "one. Run the agent again in its current version."
        )
    return opened(provider)


def reseal() -> int:
    """Close every stored secret with the newest key; returns how many were changed. Raises `KeyringError`."""
    count = 0
    for pk in ModelProvider.objects.exclude(key_sealed="").values_list("pk", flat=True):
        with transaction.atomic():
            provider = ModelProvider.objects.select_for_update().get(pk=pk)
            if provider.key_sealed and not keyring.is_newest(provider.key_sealed):
                secret = keyring.open_(provider.key_sealed, place(provider))
                ModelProvider.objects.filter(pk=pk).update(key_sealed=keyring.seal(secret, place(provider)))
                count += 1
    if count:
        record(actor=None, action="secrets.resealed", count=count)
    return count


def place(provider: ModelProvider) -> keyring.Place:
    """Where a provider's key is kept."""
    return keyring.Place("integrations_modelprovider", str(provider.uuid), "key")


def opened(provider: ModelProvider) -> str:
    """The provider's key, "" when it has none. Raises `Unavailable`."""
    if not provider.key_sealed:
        return ""
    try:
        return keyring.open_(provider.key_sealed, place(provider))
    except keyring.KeyringError as error:
        raise Unavailable(f"{provider.name}: {error}") from None


def seal_key(provider: ModelProvider, key: str) -> None:
    """Keep a provider's key, or remove it. Raises `Invalid`."""
    key = key.strip()
    if len(key) > _LONGEST_KEY or not key.isprintable() or not key.isascii():
        raise Invalid(fields={"key": ["A key is one line of letters, digits and signs. Paste it again."]})
    provider.key_sealed = keyring.seal(key, place(provider)) if key else ""
    # Of a short key four characters would be too much to show.
    provider.key_hint = key[-4:] if len(key) >= 12 else ""
    provider.save(update_fields=["key_sealed", "key_hint", "updated_at"])

"""Seals secrets with AES-256-GCM under a ring of keys.

A sealed text is `1.<key id>.<base64url of nonce and ciphertext>`. Table, row and field are associated data: a sealed text that is
copied to another row does not open there. The newest key of `settings.KEY_RING` closes, all of them open. The pod of a run has no keys:
the few secrets that the run needs were opened before, and are handed to it (`settings.HANDED_SECRETS`).
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

_FORMAT = "1"
_NONCE_BYTES = 12
_noted: ContextVar[dict[str, str] | None] = ContextVar("keyring_noted", default=None)


class KeyringError(Exception):
    """A sealed text cannot be opened; the message says why and what to do, without any of its content."""


@dataclass(frozen=True)
class Place:
    """Where a secret is kept."""

    table: str
    row: str
    """The row's uuid."""
    field: str

    @property
    def name(self) -> str:
        """The place in a word."""
        return f"{self.table}/{self.row}/{self.field}"

    def bound(self) -> bytes:
        """The associated data."""
        return f"{_FORMAT}\x1f{self.table}\x1f{self.row}\x1f{self.field}".encode()


def seal(secret: str, place: Place) -> str:
    """The secret, closed with the newest key for this place."""
    if not settings.KEY_RING:
        raise KeyringError(
            "There is no key here to close a secret with. Set KEY_RING; the pod of a run has none, and keeps no secrets."
        )
    key_id, key = next(iter(settings.KEY_RING.items()))
    nonce = secrets.token_bytes(_NONCE_BYTES)
    closed = nonce + AESGCM(key).encrypt(nonce, secret.encode(), place.bound())
    return f"{_FORMAT}.{key_id}.{base64.urlsafe_b64encode(closed).decode()}"


def open_(sealed: str, place: Place) -> str:
    """The secret. Raises `KeyringError` when its key is gone, or when it was changed or moved."""
    if settings.HANDED_SECRETS is not None:
        if (handed := settings.HANDED_SECRETS.get(place.name)) is None:
            raise KeyringError(
                "This secret was not handed to the pod of the run. Run it again: it may have been set up since."
            )
        return handed
    form, _, rest = sealed.partition(".")
    key_id, _, encoded = rest.partition(".")
    key = settings.KEY_RING.get(key_id)
    if form != _FORMAT or not encoded:
        raise KeyringError("A stored secret is damaged. Enter it again.")
    if key is None:
        raise KeyringError(
            f"A stored secret was closed with the key {key_id[:32]}, which is not in KEY_RING. Put it back, or enter the secret again."
        )
    try:
        closed = base64.urlsafe_b64decode(encoded)
        secret = AESGCM(key).decrypt(closed[:_NONCE_BYTES], closed[_NONCE_BYTES:], place.bound()).decode()
    except (InvalidTag, ValueError):
        raise KeyringError("A stored secret was changed or belongs to another place. Enter it again.") from None
    if (noted := _noted.get()) is not None:
        noted[place.name] = secret
    return secret


@contextmanager
def noting() -> Iterator[dict[str, str]]:
    """Keeps what is opened inside, by the names of the places, to be handed over as `settings.HANDED_SECRETS`."""
    noted: dict[str, str] = {}
    token = _noted.set(noted)
    try:
        yield noted
    finally:
        _noted.reset(token)


def is_handed() -> bool:
    """Whether somebody else opened the secrets that are used here."""
    return settings.HANDED_SECRETS is not None


def is_newest(sealed: str) -> bool:
    """Whether the text was closed with the newest key."""
    return key_of(sealed) == next(iter(settings.KEY_RING))


def key_of(sealed: str) -> str:
    """The name of the key that closed it."""
    return (sealed.split(".")[1:2] or [""])[0]

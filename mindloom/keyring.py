"""Seals secrets with AES-256-GCM under a ring of keys.

A sealed text is `1.<key id>.<base64url of nonce and ciphertext>`. Table, row and field are associated data: a sealed text that is
copied to another row does not open there. The newest key of `settings.KEY_RING` closes, all of them open.
"""

from __future__ import annotations

import base64
import secrets
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

_FORMAT = "1"
_NONCE_BYTES = 12


class KeyringError(Exception):
    """A sealed text cannot be opened; the message says why and what to do, without any of its content."""


@dataclass(frozen=True)
class Place:
    """Where a secret is kept."""

    table: str
    row: str
    """The row's uuid."""
    field: str

    def bound(self) -> bytes:
        """The associated data."""
        return f"{_FORMAT}\x1f{self.table}\x1f{self.row}\x1f{self.field}".encode()


def seal(secret: str, place: Place) -> str:
    """The secret, closed with the newest key for this place."""
    key_id, key = next(iter(settings.KEY_RING.items()))
    nonce = secrets.token_bytes(_NONCE_BYTES)
    closed = nonce + AESGCM(key).encrypt(nonce, secret.encode(), place.bound())
    return f"{_FORMAT}.{key_id}.{base64.urlsafe_b64encode(closed).decode()}"


def open_(sealed: str, place: Place) -> str:
    """The secret. Raises `KeyringError` when its key is gone, or when it was changed or moved."""
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
        return AESGCM(key).decrypt(closed[:_NONCE_BYTES], closed[_NONCE_BYTES:], place.bound()).decode()
    except (InvalidTag, ValueError):
        raise KeyringError("A stored secret was changed or belongs to another place. Enter it again.") from None


def is_newest(sealed: str) -> bool:
    """Whether the text was closed with the newest key."""
    return sealed.split(".")[1:2] == [next(iter(settings.KEY_RING))]

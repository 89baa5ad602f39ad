"""What the chain is made of: the text that stands for an entry, and the sums over it."""

from __future__ import annotations

import base64
import hmac
from functools import lru_cache

from mindloom import keyring

START = bytes(32)
"""What stands before the first link."""

CONTENT = """jsonb_build_array(1, e.id, (extract(epoch FROM e.at) * 1000000)::bigint, e.action, e.actor_id, e.actor_label,
 e.department_id, e.target_kind, e.target_id, e.target_label, e.data, host(e.ip_address), e.door, e.user_agent)::text"""
"""SQL: all of an entry `e` as one text; the first number is this form's."""


def digest_of(key: bytes, content: str) -> bytes:
    """The sum of an entry's content."""
    return hmac.digest(key, b"entry\0" + content.encode(), "sha256")


def mac_of(key: bytes, seq: int, before: bytes, digest: bytes) -> bytes:
    """The sum of a link: its place, the link before it, and its entry."""
    return hmac.digest(key, b"link\0" + seq.to_bytes(8) + before + digest, "sha256")


def proof_of(key: bytes, seq: int, mac: bytes) -> bytes:
    """The sum of the chain's end."""
    return hmac.digest(key, b"head\0" + seq.to_bytes(8) + mac, "sha256")


def place_of(number: int) -> keyring.Place:
    """Where a key of the chain is kept."""
    return keyring.Place("audit_chainkey", str(number), "key")


@lru_cache(64)
def opened(number: int, sealed: str) -> bytes:
    """A key of the chain. Raises `KeyringError`."""
    return base64.b64decode(keyring.open_(sealed, place_of(number)))

"""Chains entries when their transaction commits, as the last thing it does.

Each link holds a keyed sum (HMAC-SHA-256) of its entry, its place and the link before. The keys are closed under the key ring, so
who has the database alone, its owner included, can break the chain but not make it anew. Whoever adds to it locks the row of
the head: after that a transaction waits for nothing but its own commit, so two can wait for the head, never for each other.
"""

from __future__ import annotations

import base64
import secrets
from typing import TYPE_CHECKING, Any

from django.db import connection, transaction

from audit.models import ChainKey
from audit.queries import CONTENT, START, digest_of, mac_of, opened, place_of, proof_of
from mindloom import keyring, wall
from mindloom.web.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.backends.utils import CursorWrapper

ADOPTED_AT_ONCE = 2_000
_BEGINNING = 0x61756474  # "audt"
_HEAD = (
    "SELECT h.seq, h.mac, h.key, k.sealed FROM audit_head h JOIN audit_chainkey k ON k.number = h.key FOR UPDATE OF h"
)
_ADD = """WITH added AS (
 INSERT INTO audit_link (seq, entry_id, digest, mac, key)
 SELECT %s + place, entry, digest, mac, %s
 FROM unnest(%s::bigint[], %s::bytea[], %s::bytea[]) WITH ORDINALITY AS one (entry, digest, mac, place))
UPDATE audit_head SET seq = %s, mac = %s, proof = %s"""


def chain(db: BaseDatabaseWrapper, entries: Sequence[int]) -> None:
    """Link those of the entries (ids) that the transaction keeps, just before it commits."""
    with wall.system("audit: entries of all departments are one chain"), db.cursor() as cursor:
        # What is checked at the end otherwise may wait for other transactions; behind the head nobody waits.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        found = _contents(cursor, "e.id = ANY(%s)", [list(entries)])
        if found:
            _link(cursor, found)


def begin(db: BaseDatabaseWrapper) -> None:
    """Begin the chain with the entries that are there, the oldest first; nothing when it has begun."""
    with wall.system("audit: entries of all departments are one chain"), db.cursor() as cursor:
        if _begin(cursor):
            _adopt(cursor)


def renew_key() -> int:
    """Close the keys of the chain with the newest key of the ring, and go on with one of its own; returns its number.

    Nothing, 0, when all are. What was chained before stays proven: the next link's sum holds the last of the old ones.
    Raises `KeyringError`.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        if not _lock(cursor):
            return 0
        known = list(ChainKey.objects.order_by("number"))
        if all(keyring.is_newest(one.sealed) for one in known):
            return 0
        for one in known:
            anew = keyring.seal(keyring.open_(one.sealed, place_of(one.number)), place_of(one.number))
            ChainKey.objects.filter(pk=one.pk).update(sealed=anew)
        return _new_key(cursor)


def replace_key() -> int:
    """Go on with a new key because the last one cannot be opened any more; returns its number.

    What was chained under keys that are gone cannot be verified from then on.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM audit_head FOR UPDATE")
        if cursor.fetchone() is None:
            cursor.execute("SELECT seq, mac FROM audit_link ORDER BY seq DESC LIMIT 1")
            seq, mac = cursor.fetchone() or (0, START)
            cursor.execute(
                "INSERT INTO audit_head (id, seq, mac, key, proof) VALUES (1, %s, %s, 0, '')", [seq, bytes(mac)]
            )
        return _new_key(cursor)


def _lock(cursor: CursorWrapper) -> tuple[int, bytes, int, bytes] | None:
    """Lock the head: seq, sum and key of the chain's end, and the opened key. None when it has not begun."""
    cursor.execute(_HEAD)
    row = cursor.fetchone()
    if row is None:
        return None
    seq, mac, number, sealed = row
    return seq, bytes(mac), number, opened(number, sealed)


def _contents(
    cursor: CursorWrapper, condition: str, values: list[Any], at_once: int | None = None
) -> list[tuple[int, str]]:
    sql = f"SELECT e.id, {CONTENT} FROM audit_entry e WHERE {condition} ORDER BY e.id LIMIT %s"  # noqa: S608 -- of this module
    cursor.execute(sql, [*values, at_once])
    return list(cursor.fetchall())


def _link(cursor: CursorWrapper, found: list[tuple[int, str]]) -> None:
    try:
        head = _lock(cursor)
        if head is None:
            # The key may have been changed while we waited, which reads as no head; those who begin the chain see it.
            _begin(cursor)
            head = _lock(cursor)
    except keyring.KeyringError as error:
        raise Unavailable(
            f"The audit trail cannot be written, so nothing is done: {error} Or go on with `manage.py audit renew`."
        ) from None
    assert head is not None  # it was begun
    seq, before, number, key = head
    digests, macs = [], []
    for place, (_, content) in enumerate(found, 1):
        digests.append(digest_of(key, content))
        before = mac_of(key, seq + place, before, digests[-1])
        macs.append(before)
    last = seq + len(found)
    values: list[Any] = [seq, number, [pk for pk, _ in found], digests, macs, last, before, proof_of(key, last, before)]
    cursor.execute(_ADD, values)


def _begin(cursor: CursorWrapper) -> bool:
    """Make the head and the first key; False when another transaction was first."""
    cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_BEGINNING])
    cursor.execute("SELECT EXISTS (SELECT FROM audit_head), EXISTS (SELECT FROM audit_link)")
    begun, linked = cursor.fetchone()
    if begun:
        return False
    if linked:
        raise Unavailable(
            "The audit trail cannot be written, so nothing is done: somebody removed its end. See `manage.py audit verify`, "
            "then go on with `manage.py audit renew`."
        )
    cursor.execute("INSERT INTO audit_head (id, seq, mac, key, proof) VALUES (1, 0, %s, 0, '')", [START])
    _new_key(cursor)
    return True


def _adopt(cursor: CursorWrapper) -> None:
    """Link the entries of times before the chain."""
    last = 0
    while found := _contents(cursor, "e.id > %s", [last], at_once=ADOPTED_AT_ONCE):
        _link(cursor, found)
        last = found[-1][0]


def _new_key(cursor: CursorWrapper) -> int:
    """Make a key and go on with it."""
    cursor.execute("SELECT seq, mac FROM audit_head")
    seq, mac = cursor.fetchone()
    cursor.execute("SELECT coalesce(max(number), 0) + 1 FROM audit_chainkey")
    number = int(cursor.fetchone()[0])
    key = secrets.token_bytes(32)
    sealed = keyring.seal(base64.b64encode(key).decode(), place_of(number))
    cursor.execute(
        "INSERT INTO audit_chainkey (number, sealed, made_at) VALUES (%s, %s, clock_timestamp())", [number, sealed]
    )
    cursor.execute("UPDATE audit_head SET key = %s, proof = %s", [number, proof_of(key, seq, bytes(mac))])
    return number

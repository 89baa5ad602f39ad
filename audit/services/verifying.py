"""Looks whether the trail is what was recorded: every entry, in its place, and none too many.

All of it is read in one snapshot, a part at a time, so that a trail of any length fits and those who write are not held up.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import connection, transaction

from audit.models import ChainKey
from audit.queries import CONTENT, START, digest_of, mac_of, opened, proof_of
from audit.services.anchoring import newest_anchor
from mindloom import wall
from mindloom.keyring import KeyringError

if TYPE_CHECKING:
    from audit.services.anchoring import Anchor

PART = 2_000
_CHAIN = f"""
SELECT l.seq, l.entry_id, l.digest, l.mac, l.key, {CONTENT} AS content,
 e.action || ' by ' || e.actor_label || ' at ' || to_char(e.at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS') || ' UTC' AS said
FROM audit_link l LEFT JOIN audit_entry e ON e.id = l.entry_id ORDER BY l.seq"""  # noqa: S608 -- of our own text
_UNKNOWN = (
    "SELECT e.id, e.action || ' by ' || e.actor_label FROM audit_entry e"
    " WHERE NOT EXISTS (SELECT FROM audit_link l WHERE l.entry_id = e.id) ORDER BY e.id LIMIT 1"
)


@dataclass(frozen=True)
class Verdict:
    """What was found: how many entries are proven, the chain's end to write down, and what is wrong, the first of it first."""

    count: int
    head: str
    problems: list[str]

    @property
    def holds(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems


class _Broken(Exception):
    """The first place where the chain breaks: its sentence, and the entry there."""

    def __init__(self, sentence: str, entry: int) -> None:
        super().__init__(sentence)
        self.entry = entry


@dataclass
class _Walk:
    """How far the walk along the chain came."""

    seq: int = 0
    mac: bytes = START
    key: int = 0
    entry: int = 0
    anchored: bytes | None = None
    """The sum at the anchor's place."""


def verify(expected: str = "") -> Verdict:
    """Walk along the chain. `expected` is a head that somebody wrote down, "seq:sum": it has to be on the way."""
    anchor = newest_anchor()
    with wall.system("audit: entries of all departments are one chain"):
        ChainKey.objects.exists()  # carries the scope to the connection, which the snapshot would be too late for
        with transaction.atomic(durable=True):
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            return _verdict(anchor, expected)


def _verdict(anchor: Anchor | None, expected: str) -> Verdict:
    keys, problems = _keys()
    walk = _Walk()
    found: list[tuple[int, str]] = []
    noted = _noted(expected)
    try:
        for row in _rows():
            _step(walk, row, keys)
            if anchor and walk.seq == anchor.seq:
                walk.anchored = walk.mac
            _compare(walk, noted)
        found += _end(walk, keys, anchor)
        if noted and walk.seq < noted[0]:
            found.append((walk.entry, f"The chain ends at {walk.seq}; the head that was written down is {noted[0]}."))
    except _Broken as broken:
        found.append((broken.entry, str(broken)))
    found += _unknown()
    problems += [sentence for _, sentence in sorted(found)]
    return Verdict(walk.seq, f"{walk.seq}:{walk.mac.hex()}", problems)


def _compare(walk: _Walk, noted: tuple[int, str] | None) -> None:
    """Whether the chain passes what was written down. Raises `_Broken`."""
    if noted and walk.seq == noted[0] and walk.mac.hex() != noted[1]:
        raise _Broken(f"At place {walk.seq} the chain is another than the one that was written down.", walk.entry)


def _keys() -> tuple[dict[int, bytes], list[str]]:
    keys, problems = {}, []
    for one in ChainKey.objects.order_by("number"):
        try:
            keys[one.number] = opened(one.number, one.sealed)
        except KeyringError as error:
            problems.append(
                f"Key {one.number} of the chain cannot be opened, so what it proves cannot be verified. {error}"
            )
    return keys, problems


def _rows() -> Iterator[tuple[Any, ...]]:
    """The chain with its entries, in order, through a cursor of the server."""
    with connection.chunked_cursor() as cursor:
        cursor.execute(_CHAIN)
        while part := cursor.fetchmany(PART):
            yield from part


def _step(walk: _Walk, row: tuple[Any, ...], keys: dict[int, bytes]) -> None:
    """One link further. Raises `_Broken`."""
    seq, entry, digest, mac, number, content, said = row
    digest, mac = bytes(digest), bytes(mac)
    about = f"Entry {entry} ({said})"
    if seq != walk.seq + 1:
        raise _Broken(
            f"Entries are missing after entry {walk.entry}: the chain has no link {walk.seq + 1}, the next is {seq} of entry {entry}.",
            walk.entry,
        )
    if said is None:
        raise _Broken(f"Entry {entry} is missing: link {seq} of the chain is of it, and it is not there.", entry)
    key = keys.get(number)
    if key is None or number < walk.key:
        raise _Broken(f"{about} cannot be verified: it is chained under key {number}, which is not there.", entry)
    same_content = digest_of(key, content) == digest
    if mac_of(key, seq, walk.mac, digest) != mac:
        raise _Broken(_misplaced(walk, seq, entry, about, same_content=same_content, keys=keys), entry)
    if not same_content:
        raise _Broken(f"{about} was altered: it is not what was recorded.", entry)
    walk.seq, walk.mac, walk.key, walk.entry = seq, mac, number, entry


def _misplaced(walk: _Walk, seq: int, entry: int, about: str, *, same_content: bool, keys: dict[int, bytes]) -> str:
    """What happened where a link does not go on from the one before: is the one that does somewhere else?"""
    with connection.cursor() as cursor:
        cursor.execute("SELECT seq, entry_id, digest, mac, key FROM audit_link WHERE seq >= %s ORDER BY seq", [seq])
        while part := cursor.fetchmany(PART):
            for place, other, digest, mac, number in part:
                key = keys.get(number)
                if key and mac_of(key, seq, walk.mac, bytes(digest)) == bytes(mac):
                    if same_content:
                        return f"Entries were reordered: at place {seq} stands entry {entry}, where entry {other} belongs, which is at {place}."
                    return f"{about} was inserted at place {seq} of the chain, where entry {other} belongs."
    if same_content:
        return f"Entries are missing after entry {walk.entry}: what stood at place {seq} of the chain is gone, and {about} was put there."
    return f"{about} was inserted or altered: its link at place {seq} is not ours."


def _end(walk: _Walk, keys: dict[int, bytes], anchor: Anchor | None) -> Iterator[tuple[int, str]]:
    """What is wrong with the chain's end."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT seq, mac, key, proof FROM audit_head")
        heads = cursor.fetchall()
    if not heads and (walk.seq or keys):
        yield walk.entry, f"The end of the chain was removed, so entries after entry {walk.entry} may be missing."
    for seq, mac, number, proof in heads:
        key = keys.get(number)
        if key is None or proof_of(key, seq, bytes(mac)) != bytes(proof) or number < walk.key:
            yield walk.entry, f"The end of the chain was altered, so entries after entry {walk.entry} may be missing."
        elif seq > walk.seq:
            yield (
                walk.entry,
                f"The newest {seq - walk.seq} entries are missing: the chain ends at {seq}, but the last link is {walk.seq}, of entry {walk.entry}.",
            )
        elif seq < walk.seq or bytes(mac) != walk.mac:
            yield walk.entry, f"The end of the chain was set back to {seq}; the last link is {walk.seq}."
    if anchor and walk.anchored != anchor.mac:
        sentence = f"The whole trail is another than the one whose anchor of {anchor.at} is in the file store."
        if anchor.seq > walk.seq:
            sentence = (
                f"Entries are missing after entry {walk.entry}: the chain ends at {walk.seq}, the anchor of {anchor.at} in the "
                f"file store is of {anchor.seq}."
            )
        yield walk.entry if anchor.seq > walk.seq else 0, sentence


def _unknown() -> Iterator[tuple[int, str]]:
    """The first entry that nobody chained."""
    with connection.cursor() as cursor:
        cursor.execute(_UNKNOWN)
        for entry, said in cursor.fetchall():
            yield entry, f"Entry {entry} ({said}) was inserted: the chain does not know it."


def _noted(expected: str) -> tuple[int, str] | None:
    seq, _, mac = expected.partition(":")
    return (int(seq), mac) if seq.isdigit() else None

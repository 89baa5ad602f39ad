"""Keeps the chain's end outside of the database, in the file store, so that a trail that was set back as a whole is seen."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from datetime import UTC, datetime

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from audit.models import Head

logger = logging.getLogger(__name__)
FOLDER = "audit"
KEPT = 3


@dataclass(frozen=True)
class Anchor:
    """Where the chain ended at some time."""

    seq: int
    mac: bytes
    at: str


def anchor() -> bool:
    """Store where the chain ends now; False when the newest anchor says it already."""
    head = Head.objects.first()
    if head is None or head.seq == 0:
        return False
    names = _names()
    name = f"{head.seq:020}.json"
    if name in names:
        return False
    said = {"seq": head.seq, "mac": bytes(head.mac).hex(), "at": datetime.now(UTC).isoformat(timespec="seconds")}
    default_storage.save(f"{FOLDER}/{name}", ContentFile(json.dumps(said).encode()))
    for old in sorted([*names, name])[:-KEPT]:
        default_storage.delete(f"{FOLDER}/{old}")
    # The log is one more place that the database's owner does not have.
    logger.info("The audit trail ends at %s with %s", head.seq, said["mac"])
    return True


def newest_anchor() -> Anchor | None:
    """The last one that was stored."""
    for name in sorted(_names(), reverse=True):
        with default_storage.open(f"{FOLDER}/{name}") as file:
            said = json.loads(file.read())
        return Anchor(int(said["seq"]), bytes.fromhex(said["mac"]), str(said["at"]))
    return None


def _names() -> list[str]:
    try:
        _, files = default_storage.listdir(FOLDER)
    except FileNotFoundError:
        return []
    return [one for one in files if one.endswith(".json") and one.removesuffix(".json").isdigit()]

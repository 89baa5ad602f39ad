"""Whether what Mindloom stands on works: a sentence each, or what is wrong and what to do."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

import redis
from django.conf import settings
from django.core.cache import cache
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection

from audit.models import ChainKey, Head
from audit.queries import opened
from mindloom import keyring
from runs.queries.workers import workers as known_workers

if TYPE_CHECKING:
    from collections.abc import Callable

SIGN_OF_LIFE = "scheduler-alive"
"""The scheduler writes it into the cache with every tick."""


class Failed(Exception):
    """What is wrong, and what to do."""


def database() -> str:
    """PostgreSQL and pgvector, and their versions."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_setting('server_version_num')::int, extversion FROM pg_extension WHERE extname = 'vector'"
        )
        row = cursor.fetchone()
    if row is None:
        raise Failed("The extension pgvector is missing. As a superuser: CREATE EXTENSION vector;")
    version, vector = row
    if version < 150_000:
        raise Failed(f"PostgreSQL {version // 10_000} is too old. Mindloom needs 15 or newer.")
    if tuple(int(part) for part in vector.split(".")[:2]) < (0, 8):
        raise Failed(
            f"pgvector {vector} is too old. Mindloom needs 0.8; as a superuser: ALTER EXTENSION vector UPDATE;"
        )
    return f"PostgreSQL {version // 10_000}, pgvector {vector}"


def redis_() -> str:
    """Redis, and its version."""
    client = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=5)
    try:
        return f"Redis {client.info('server')['redis_version']}"
    except redis.RedisError as error:
        raise Failed(f"Redis does not answer ({error}). Start it, or correct REDIS_URL.") from None
    finally:
        client.close()


def scheduler() -> str:
    """Whether one ticks."""
    if cache.get(SIGN_OF_LIFE) is None:
        raise Failed(
            "No scheduler gave a sign of life in 30 s, so vanished workers go unnoticed. Start: manage.py scheduler"
        )
    return "alive"


def storage() -> str:
    """Whether a file comes back as it was written."""
    content = secrets.token_bytes(64)
    name = default_storage.save("doctor/probe", ContentFile(content))
    try:
        with default_storage.open(name) as file:
            if file.read() != content:
                raise Failed(f"A file came back changed from {settings.MEDIA_ROOT}. Check the disk.")
    finally:
        default_storage.delete(name)
    return f"files are written, read and removed in {settings.MEDIA_ROOT}"


def audit() -> str:
    """Whether the trail can be written."""
    head = Head.objects.first()
    if head is None:
        return "nothing is recorded yet"
    try:
        for one in ChainKey.objects.all():
            opened(one.number, one.sealed)
    except keyring.KeyringError as error:
        raise Failed(f"The audit trail cannot be written or verified. {error}") from None
    return f"{head.seq:,} entries are chained; manage.py audit verify looks at each"


def workers() -> str:
    """Those that gave a sign of life lately."""
    found = known_workers()
    if found is None:
        raise Failed("Redis is away, so nothing is known of the workers.")
    if not found.alive:
        raise Failed("No worker gave a sign of life, so runs stay queued. Start one: make worker")
    return f"{found.alive} {'works' if found.alive == 1 else 'work'}, with room for {found.slots} runs at once"


@dataclass(frozen=True)
class Check:
    """What a look at one of them found."""

    name: str
    works: bool
    said: str


LOOKED_AT: dict[str, Callable[[], str]] = {
    "Database": database,
    "Redis": redis_,
    "Workers": workers,
    "Scheduler": scheduler,
    "Storage": storage,
    "Audit trail": audit,
}


def look() -> list[Check]:
    """All of them, now."""
    return [_looked(name, check) for name, check in LOOKED_AT.items()]


def _looked(name: str, check: Callable[[], str]) -> Check:
    try:
        return Check(name, works=True, said=check())
    except Failed as error:
        return Check(name, works=False, said=str(error))
    except Exception as error:  # noqa: BLE001 -- a check that breaks is a check that failed
        return Check(name, works=False, said=f"{type(error).__name__}: {error}"[:300])

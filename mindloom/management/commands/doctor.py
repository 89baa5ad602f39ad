"""Looks at everything Mindloom stands on and says what to do about what fails."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import redis
from django.conf import settings
from django.core.cache import cache
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management.base import BaseCommand
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from accounts.models import User
from audit.models import ChainKey, Head
from audit.queries import opened
from integrations.models import ModelProvider
from mindloom import keyring
from mindloom.management.commands.scheduler import SIGN_OF_LIFE
from mindloom.wall.checks import check_wall

CLOCK_SECONDS = 5.0


class Failed(Exception):
    """What is wrong, and what to do."""


class Command(BaseCommand):
    help = "Check database, wall, migrations, Redis, worker, scheduler, storage, clock, keys and people."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        failures = 0
        for name, check in CHECKS:
            try:
                self.stdout.write(f"ok      {name:<11} {check()}")
            except Failed as error:
                failures += 1
                self.stdout.write(f"FAILED  {name:<11} {error}")
            except Exception as error:  # noqa: BLE001 -- a check that breaks is a check that failed
                failures += 1
                self.stdout.write(f"FAILED  {name:<11} {type(error).__name__}: {error}")
        if failures:
            raise SystemExit(1)


def _database() -> str:
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


def _search() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT proleakproof FROM pg_proc WHERE oid = 'ts_match_vq(tsvector, tsquery)'::regprocedure")
        row = cursor.fetchone()
    if row is None or not row[0]:
        return (
            "works, but reads every run of a department. As a superuser, in this database: "
            "ALTER FUNCTION ts_match_vq(tsvector, tsquery) LEAKPROOF; then it uses its index."
        )
    return "words in runs are looked up in an index"


def _wall() -> str:
    problems = check_wall(databases=["default"])
    if problems:
        raise Failed(" ".join(f"{problem.msg} {problem.hint or ''}" for problem in problems))
    return "the role is held back and every tenant table is behind the wall"


def _migrations() -> str:
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if plan:
        raise Failed(f"{len(plan)} migrations are missing. Run: manage.py migrate")
    return "all applied"


def _redis() -> str:
    client = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=5)
    try:
        return f"Redis {client.info('server')['redis_version']}"
    except redis.RedisError as error:
        raise Failed(f"Redis does not answer ({error}). Start it, or correct REDIS_URL.") from None
    finally:
        client.close()


def _worker() -> str:
    from mindloom.celery import app

    answers = app.control.inspect(timeout=2).ping() or {}
    if not answers:
        raise Failed("No worker answers, so runs stay queued. Start one: make worker")
    return ", ".join(sorted(answers))


def _scheduler() -> str:
    if cache.get(SIGN_OF_LIFE) is None:
        raise Failed(
            "No scheduler gave a sign of life in 30 s, so vanished workers go unnoticed. Start: manage.py scheduler"
        )
    return "alive"


def _storage() -> str:
    content = secrets.token_bytes(64)
    name = default_storage.save("doctor/probe", ContentFile(content))
    try:
        with default_storage.open(name) as file:
            if file.read() != content:
                raise Failed(f"A file came back changed from {settings.MEDIA_ROOT}. Check the disk.")
    finally:
        default_storage.delete(name)
    return f"files are written, read and removed in {settings.MEDIA_ROOT}"


def _clock() -> str:
    before = time.time()
    with connection.cursor() as cursor:
        cursor.execute("SELECT extract(epoch FROM clock_timestamp())")
        there = float(cursor.fetchone()[0])
    off = there - (before + time.time()) / 2
    if abs(off) > CLOCK_SECONDS:
        raise Failed(f"The database's clock is {off:+.1f} s off ours. Set both by NTP.")
    return f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC, {off * 1000:+.0f} ms to the database's"


def _keys() -> str:
    place = keyring.Place("doctor", "probe", "value")
    if keyring.open_(keyring.seal("probe", place), place) != "probe":
        raise Failed("The key ring does not open what it sealed. Check KEY_RING.")
    sealed = {provider.key_sealed.split(".")[1] for provider in ModelProvider.objects.exclude(key_sealed="")}
    missing = sealed - set(settings.KEY_RING)
    if missing:
        raise Failed(
            f"Secrets were sealed with keys that are gone: {', '.join(sorted(missing))}. Put them back into KEY_RING."
        )
    return f"{len(settings.KEY_RING)} in the ring, newest {next(iter(settings.KEY_RING))}"


def _audit() -> str:
    head = Head.objects.first()
    if head is None:
        return "nothing is recorded yet"
    try:
        for one in ChainKey.objects.all():
            opened(one.number, one.sealed)
    except keyring.KeyringError as error:
        raise Failed(f"The audit trail cannot be written or verified. {error}") from None
    return f"{head.seq:,} entries are chained; manage.py audit verify looks at each"


def _people() -> str:
    administrators = [
        user for user in User.objects.filter(is_superuser=True, is_active=True) if user.has_usable_password()
    ]
    if not administrators:
        raise Failed("Nobody can administer this installation. Run: manage.py setup_link")
    return f"{User.objects.filter(is_active=True).count()} can sign in, {len(administrators)} administer"


CHECKS: list[tuple[str, Callable[[], str]]] = [
    ("database", _database),
    ("wall", _wall),
    ("search", _search),
    ("migrations", _migrations),
    ("redis", _redis),
    ("worker", _worker),
    ("scheduler", _scheduler),
    ("storage", _storage),
    ("clock", _clock),
    ("keys", _keys),
    ("audit", _audit),
    ("people", _people),
]

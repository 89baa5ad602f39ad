"""Looks at everything Mindloom stands on and says what to do about what fails."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from accounts.models import AuthenticatorApp, User
from administration.queries import health
from administration.queries.health import Failed
from audit.models import ChainKey
from integrations.models import Connection, McpServer, ModelProvider
from mindloom import keyring, wall
from mindloom.wall.checks import check_wall
from runs.worker.pods import Refused, lacking_rights
from webhooks.models import Webhook

CLOCK_SECONDS = 5.0


class Command(BaseCommand):
    help = "Check database, wall, migrations, Redis, worker, scheduler, storage, clock, keys, pods and people."
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


def _worker() -> str:
    from mindloom.celery import app

    answers = app.control.inspect(timeout=2).ping() or {}
    if not answers:
        raise Failed("No worker answers, so runs stay queued. Start one: make worker")
    return ", ".join(sorted(answers))


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
    missing = {keyring.key_of(sealed) for sealed in _sealed() if sealed} - set(settings.KEY_RING)
    if missing:
        raise Failed(
            f"Secrets were sealed with keys that are gone: {', '.join(sorted(missing))}. Put them back into KEY_RING."
        )
    return f"{len(settings.KEY_RING)} in the ring, newest {next(iter(settings.KEY_RING))}"


def _sealed() -> list[str]:
    """Everything that is stored under keys of the ring; empty where there is no secret."""
    with wall.system("doctor: the secrets of all departments, which stay closed"):
        return [
            *ModelProvider.objects.values_list("key_sealed", flat=True),
            *McpServer.objects.values_list("secret_sealed", flat=True),
            *(one for kept in Connection.objects.values_list("secrets_sealed", flat=True) for one in kept.values()),
            *(one for both in Webhook.objects.values_list("secret_sealed", "former_secret_sealed") for one in both),
            *AuthenticatorApp.objects.values_list("secret_sealed", flat=True),
            *ChainKey.objects.values_list("sealed", flat=True),
        ]


def _pods() -> str:
    if not settings.KUBERNETES_EXECUTOR_IMAGE:
        return "not set up; runs are carried out by workers"
    try:
        missing = lacking_rights()
    except Refused as refused:
        raise Failed(refused.message) from None
    if missing:
        raise Failed(
            f"In the namespace {settings.KUBERNETES_NAMESPACE} these rights are missing: {', '.join(missing)}. "
            "Give them to the service account of workers and scheduler by a Role."
        )
    return f"may make jobs in the namespace {settings.KUBERNETES_NAMESPACE}, from the image {settings.KUBERNETES_EXECUTOR_IMAGE}"


def _people() -> str:
    administrators = [
        user for user in User.objects.filter(is_superuser=True, is_active=True) if user.has_usable_password()
    ]
    if not administrators:
        raise Failed("Nobody can administer this installation. Run: manage.py setup_link")
    return f"{User.objects.filter(is_active=True).count()} can sign in, {len(administrators)} administer"


CHECKS: list[tuple[str, Callable[[], str]]] = [
    ("database", health.database),
    ("wall", _wall),
    ("search", _search),
    ("migrations", _migrations),
    ("redis", health.redis_),
    ("worker", _worker),
    ("scheduler", health.scheduler),
    ("storage", health.storage),
    ("clock", _clock),
    ("keys", _keys),
    ("pods", _pods),
    ("audit", health.audit),
    ("people", _people),
]

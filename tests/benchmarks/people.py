"""Who runs what in the benchmarks: one department, one person, agents on scripted models."""

from __future__ import annotations

import httpx
from django.db import connection

from accounts.models import Department, Membership, Role, User
from accounts.services.tokens import issue_tokens
from agents.models import Agent
from integrations.models import Model, ModelProvider
from runs import services
from runs.models import Run
from tests import factories
from tests.benchmarks.house import until
from tests.benchmarks.work import TEXT

PASSWORD = "correct horse battery"
EMAIL = "bench@example.org"


def person() -> User:
    """A manager of the only department. Call it inside `wall.system`."""
    department, _ = Department.objects.get_or_create(name="Bench", slug="bench")
    user = User.objects.filter(email=EMAIL).first()
    if user is None:
        user = User.objects.create_user(EMAIL, PASSWORD, name="Bench")
        Membership.objects.create(user=user, department=department, role=Role.MANAGER, status=Membership.Status.ACTIVE)
    return user


def viewers(count: int) -> list[str]:
    """Access tokens of so many viewers of the department, a person each. Call it inside `wall.system`."""
    department, tokens = Department.objects.get(slug="bench"), []
    for number in range(count):
        user = User.objects.create_user(f"viewer{number}@example.org", name=f"Viewer {number}")
        Membership.objects.create(user=user, department=department, role=Role.VIEWER, status=Membership.Status.ACTIVE)
        tokens.append(str(issue_tokens(actor=user)["access"]))
    return tokens


def agent(owner: User, fake: str, model: str, **limits: int) -> Agent:
    """A published agent on this model of the fake server."""
    provider, _ = ModelProvider.objects.get_or_create(name="Fake", defaults={"kind": "openai_like", "base_url": fake})
    row, _ = Model.objects.get_or_create(provider=provider, model_id=model, defaults={"label": model[:80]})
    definition = {"model": str(row.uuid), "limits": factories.DEFINITION["limits"] | {"seconds": 300} | limits}
    return factories.agent(owner, Department.objects.get(slug="bench"), name=model[:80], definition=definition)


def queue(owner: User, of: Agent, count: int) -> list[int]:
    """Start so many runs; their ids, in order."""
    return [services.start_run(actor=owner, target=of, text=TEXT).pk for _ in range(count)]


def ended(ids: list[int]) -> int:
    """How many of them have ended."""
    return Run.objects.filter(pk__in=ids).exclude(finished_at=None).count()


def await_ended(ids: list[int], count: int, seconds: float = 300.0) -> None:
    """Wait until so many of them have ended."""
    until(lambda: ended(ids) >= count, f"{count} of {len(ids)} runs end", seconds, pause=0.1)


def await_end(ids: list[int], seconds: float = 300.0) -> list[Run]:
    """Wait until all have ended; raises when one did not complete."""
    await_ended(ids, len(ids), seconds)
    runs = list(Run.objects.filter(pk__in=ids).order_by("finished_at"))
    failed = [run for run in runs if run.state != "completed"]
    if failed:
        raise RuntimeError(f"{len(failed)} of {len(runs)} runs did not complete: {failed[0].reason_message}")
    return runs


def assert_whole(ids: list[int]) -> int:
    """Every log counts from 1 without gaps or doubles, up to the run's last number; returns how many events there are."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT r.last_seq, count(e.seq), min(e.seq), max(e.seq) FROM runs_run r JOIN runs_runevent e ON e.run_id = r.id"
            " WHERE r.id = ANY(%s) GROUP BY r.id",
            [ids],
        )
        rows = cursor.fetchall()
    broken = [row for row in rows if not (row[0] == row[1] == row[3] and row[2] == 1)]
    if broken or len(rows) != len(ids):
        raise RuntimeError(f"Logs with gaps: {broken[:3]}, or missing: {len(ids) - len(rows)}")
    return sum(row[1] for row in rows)


def token(base: str) -> str:
    """An access token, over HTTP."""
    answer = httpx.post(f"{base}/api/v1/auth/login", json={"email": EMAIL, "password": PASSWORD}, timeout=30)
    answer.raise_for_status()
    return str(answer.json()["access"])


def script(fake: str, model: str, text: list[str], pace_ms: int) -> str:
    """Teach the fake server a model."""
    turn = {"text": text, "pace_ms": pace_ms}
    httpx.post(
        f"{fake.removesuffix('/v1')}/script", json={"model": model, "turns": [turn]}, timeout=30
    ).raise_for_status()
    return model

"""Minimal valid rows. Call them inside a scope (`in_marketing`, `seeing_all`)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from accounts.models import Department, Invitation, User
from agents.models import Agent, AgentVersion
from buckets.models import Bucket, Chunk, Content, Document, Generation, Page, Question, Vector, Version, WebSource
from integrations.models import Connection, Model, ModelProvider
from integrations.queries import connection_place
from mindloom import keyring
from mindloom.engine.spec import AgentSpec, ModelSpec
from notifications.models import Notification
from runs.models import Run, State, Trigger
from schedules.models import Occurrence, Schedule
from teams.models import Team, TeamVersion
from webhooks.models import Attempt, Delivery, Webhook
from webhooks.queries import secret_place

DEFINITION: dict[str, Any] = {
    "instructions": "Work on what you are given.",
    "model": None,
    "parameters": {},
    "variables": [],
    "tools": [],
    "limits": {"seconds": 60, "model_turns": 10, "tool_calls": 10, "tokens": 50_000},
    "markdown": True,
}
TEAM_DEFINITION: dict[str, Any] = {
    "type": "coordinate",
    "instructions": "Share the work out, then write one answer.",
    "model": None,
    "parameters": {},
    "variables": [],
    "members": [],
    "limits": {"seconds": 60, "model_turns": 20, "tool_calls": 20, "tokens": 100_000},
    "markdown": True,
}
TERMINAL = {State.COMPLETED, State.FAILED, State.CANCELLED}


def offline_model() -> Model:
    """The built-in model, as the default."""
    provider, _ = ModelProvider.objects.get_or_create(name="Offline", defaults={"kind": "offline"})
    model, _ = Model.objects.get_or_create(
        provider=provider, model_id="offline", defaults={"label": "Offline", "is_default": True}
    )
    return model


def agent(owner: User, department: Department, *, published: bool = True, **fields: Any) -> Agent:
    """An agent, published as version 1 unless told otherwise; `definition` changes parts of its definition."""
    offline_model()
    definition = DEFINITION | fields.pop("definition", {})
    made = Agent.objects.create(
        owner=owner, department=department, **({"name": "Scout", "draft": definition, "draft_digest": "d"} | fields)
    )
    if published:
        made.published = AgentVersion.objects.create(
            agent=made, department=department, number=1, definition=definition, digest="d", published_by=owner
        )
        made.save()
    return made


def team(owner: User, department: Department, *members: Agent, published: bool = True, **fields: Any) -> Team:
    """A coordinating team of the given agents, published as version 1 unless told otherwise."""
    parts = [{"agent": str(one.uuid), "version": None, "role": "", "variables": {}} for one in members]
    definition = TEAM_DEFINITION | {"members": parts} | fields.pop("definition", {})
    made = Team.objects.create(
        owner=owner,
        department=department,
        **({"name": "Press desk", "draft": definition, "draft_digest": "d"} | fields),
    )
    if published:
        made.published = TeamVersion.objects.create(
            team=made, department=department, number=1, definition=definition, digest="d", published_by=owner
        )
        made.save()
    return made


def connection(owner: User, department: Department, **fields: Any) -> Connection:
    """A connection to a mail server that is not there; its password is "mail-password-4321" unless told otherwise."""
    password = fields.pop("password", "mail-password-4321")
    values: dict[str, Any] = {
        "kind": "smtp",
        "name": "Office mail",
        "settings": {
            "host": "mail.example.org",
            "port": "587",
            "security": "starttls",
            "user": "office",
            "from_address": "office@example.org",
        },
    }
    made = Connection.objects.create(owner=owner, department=department, **(values | fields))
    made.secrets_sealed = {"password": keyring.seal(password, connection_place(made, "password"))}
    made.secret_hints = {"password": password[-4:]}
    made.save()
    return made


def webhook(by: User, department: Department) -> Webhook:
    """A webhook whose receiver, where nobody listens, was sent a test once in vain."""
    secret = "whsec_bm90IGEgc2VjcmV0LCBidXQgbG9uZyBlbm91Z2g="
    made = Webhook(department=department, created_by=by, name="Tickets", url="http://127.0.0.1:9/", states=["failed"])
    made.secret_sealed, made.secret_hint = keyring.seal(secret, secret_place(made, "secret")), secret[-4:]
    made.save()
    now = datetime.now(UTC)
    message = {"type": "webhook.test", "timestamp": now.isoformat(), "data": {"webhook": str(made.uuid)}}
    values = {"type": "webhook.test", "payload": message, "state": "failed", "attempt_count": 1, "finished_at": now}
    sent = Delivery.objects.create(webhook=made, department=department, **values)
    Attempt.objects.create(delivery=sent, department=department, number=1, started_at=now)
    return made


def bucket(owner: User, department: Department, **fields: Any) -> Bucket:
    """A bucket with one file, which can be searched."""
    made = Bucket.objects.create(owner=owner, department=department, **({"name": "House rules"} | fields))
    now = datetime.now(UTC)
    cut = {"language": made.language, "passage_length": made.passage_length}
    generation = Generation.objects.create(
        bucket=made, department=department, number=1, state="live", live_at=now, made_by=owner, **cut
    )
    made.generation = generation
    made.save(update_fields=["generation"])
    path = default_storage.save("documents/parking", ContentFile(b"Parking costs five euros."))
    stored = {"size_bytes": 25, "path": path, "stored_at": now, "kind": "text", "extracted_at": now}
    content = Content.objects.create(department=department, sha256="0" * 64, page_count=1, **stored)
    Page.objects.create(content=content, department=department, number=1, text="Parking costs five euros.")
    document = Document.objects.create(bucket=made, department=department, name="parking.txt")
    settings = {**cut, "added_by": owner, "generation": generation, "is_found": True}
    version = Version.objects.create(
        document=document,
        department=department,
        content=content,
        number=1,
        state="searchable",
        chunk_count=1,
        **settings,
    )
    source = WebSource.objects.create(
        bucket=made, department=department, url="https://example.org/", asked_by=owner, is_wanted=False
    )
    Document.objects.filter(pk=document.pk).update(newest=version, live=version, source=source, url=source.url)
    Question.objects.create(
        bucket=made, department=department, document=document, text="What does parking cost?", added_by=owner
    )
    chunk = Chunk.objects.create(
        document=document,
        version=version,
        bucket=made,
        department=department,
        number=1,
        page=1,
        heading="parking.txt",
        text="Parking costs five euros.",
        language=made.language,
        generation=generation.pk,
    )
    vector = {"model": 0, "size": 256, "digest": b"0" * 32, "embedding": f"[{','.join(['1'] * 256)}]"}
    Vector.objects.create(chunk=chunk, department=department, bucket=made, generation=generation.pk, **vector)
    return made


def spec(**fields: Any) -> AgentSpec:
    """A spec that any runner takes."""
    values: dict[str, Any] = {
        "name": "Scout",
        "uuid": "u",
        "version": 1,
        "model": ModelSpec(kind="offline", model="offline"),
    }
    return AgentSpec(**(values | fields))


def run(of: Agent, by: User, **fields: Any) -> Run:
    """A queued run without a log, unless told otherwise."""
    values: dict[str, Any] = {
        "department": of.department,
        "agent": of,
        "agent_version": of.published,
        "spec": spec(name=of.name).to_json(),
        "input": "Hello",
        "trigger": Trigger.PERSON,
        "started_by": by,
    }
    return Run.objects.create(**(values | fields))


def schedule(of: Agent, owner: User, **fields: Any) -> Schedule:
    """Daily at 07:00 UTC since a week ago, with one time that was missed."""
    now = datetime.now(UTC)
    values: dict[str, Any] = {
        "name": "Morning report",
        "input": "Report.",
        "rule": {"kind": "daily", "at": "07:00"},
        "time_zone": "UTC",
        "starts_at": now - timedelta(days=7),
        "next_at": now + timedelta(days=1),
    }
    made = Schedule.objects.create(department=of.department, agent=of, owner=owner, **(values | fields))
    Occurrence.objects.create(
        schedule=made,
        department=of.department,
        planned_at=now - timedelta(days=1),
        outcome=Occurrence.Outcome.MISSED,
        message="Mindloom was not at work.",
        decided_at=now,
    )
    return made


def invitation(by: User, department: Department, **fields: Any) -> Invitation:
    """Of somebody who has not answered yet."""
    values: dict[str, Any] = {
        "email": "ivy@example.org",
        "invited_by": by,
        "expires_at": datetime.now(UTC) + timedelta(days=7),
    }
    return Invitation.objects.create(department=department, **(values | fields))


def notification(person: User, department: Department, **fields: Any) -> Notification:
    """A run of the person failed, and they have not looked."""
    values: dict[str, Any] = {
        "kind": "run_failed",
        "subject": f"run:{uuid4()}",
        "data": {"run": str(uuid4()), "number": 1, "name": "Scout", "reason": "timeout"},
        "at": datetime.now(UTC),
    }
    return Notification.objects.create(person=person, department=department, **(values | fields))

"""Minimal valid rows. Call them inside a scope (`in_marketing`, `seeing_all`)."""

from __future__ import annotations

from typing import Any

from accounts.models import Department, User
from agents.models import Agent, AgentVersion
from integrations import keyring
from integrations.models import Connection, Model, ModelProvider
from integrations.queries import connection_place
from mindloom.engine.spec import AgentSpec, ModelSpec
from runs.models import Run, State, Trigger
from teams.models import Team, TeamVersion

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

"""Marketing as every visitor of the route matrix finds it, and how a route's address and body are made from it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any
from uuid import UUID

from django.core.files.base import ContentFile
from psycopg.types.json import Jsonb

from accounts.models import Invitation, Membership, Role
from accounts.services import issue_tokens
from agents.forms import write
from agents.models import Agent
from audit.models import Entry
from audit.services import record
from buckets.models import Bucket, Document
from integrations.models import Connection, McpServer, Model, ModelPrice, ModelProvider
from mindloom import wall
from mindloom.engine.events import RunCompleted, RunQueued, RunStarted, RunWaiting
from notifications.models import Notification
from runs.models import Approval, Conversation, Guard, PersonMemory, Run, RunArtifact, State, append
from schedules.models import Schedule
from teams.forms import write as write_team
from teams.models import Team
from teams.queries import exported
from tests import factories
from tests.api.bodies import DOORS, INTEGRATIONS, KEEPING, WEBHOOKS, buckets, people, schedules
from tests.conftest import PASSWORD, Cast
from webhooks.models import Delivery, Webhook

AGENT_FILE = "format: mindloom/agent\nformat_version: 1\nname: Imported\ndefinition:\n  instructions: Go\n"


@dataclass
class Stage:
    """Everything here is Marketing's, and Alice's where it has an owner."""

    cast: Cast
    agent: Agent
    unused: Agent
    done: Run
    queued: Run
    artifact: RunArtifact
    provider: ModelProvider
    model: Model
    connection: Connection
    server: McpServer
    refresh: str
    team: Team
    conversation: Conversation
    turn: Run
    memory: PersonMemory
    waiting: Run
    approval: Approval
    webhook: Webhook
    delivery: Delivery
    bucket: Bucket
    document: Document
    schedule: Schedule
    sessions: dict[str, str] = field(default_factory=dict)
    """The key of each person's session, by first name."""
    bodies: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What is sent to each route."""

    @cached_property
    def price(self) -> UUID:
        """Of the model."""
        return self.model.prices.get().uuid

    @cached_property
    def entry(self) -> int:
        """Of the audit trail."""
        with wall.system("tests: set the stage"):
            return Entry.objects.of("agent", str(self.agent.uuid))[0].pk

    @cached_property
    def question(self) -> UUID:
        """Of the bucket."""
        with wall.system("tests: set the stage"):
            return self.bucket.questions.get().uuid

    @cached_property
    def scheduled(self) -> UUID:
        """A run that the schedule started."""
        with wall.system("tests: set the stage"):
            self.schedule.occurrences.update(run_uuid=self.done.uuid)
        return self.done.uuid

    @cached_property
    def invitation(self) -> UUID:
        """Of somebody whom Alice invited."""
        with wall.system("tests: set the stage"):
            found = Invitation.objects.first() or factories.invitation(self.cast.alice, self.cast.marketing)
            return found.uuid

    @cached_property
    def notification(self) -> UUID:
        """Of Alice: her run waits for her."""
        with wall.system("tests: set the stage"):
            return Notification.objects.get(person=self.cast.alice, kind="run_waits").uuid


def build(cast: Cast) -> Stage:
    """Fill Marketing: a published agent, one that was never run, a finished run with a file, a queued one, Nora waiting."""
    with wall.system("tests: set the stage"):
        agent = factories.agent(cast.alice, cast.marketing, description="Keeps an eye on the market")
        unused = factories.agent(cast.alice, cast.marketing, name="Draft", published=False)
        Membership.objects.create(user=cast.nora, department=cast.marketing, role=Role.MEMBER)
        done = finished(factories.run(agent, cast.alice))
        artifact = RunArtifact.objects.create(
            run=done,
            department=cast.marketing,
            name="plan.txt",
            media_type="text/plain",
            size_bytes=4,
            sha256="0" * 64,
            file=ContentFile(b"plan", "plan"),
        )
        record(actor=cast.alice, action="agent.published", target=agent)
        provider = ModelProvider.objects.get(name="Offline")
        model = Model.objects.create(provider=provider, model_id="second", label="Second")
        ModelPrice.objects.create(
            model=model, valid_from=datetime.now(UTC), input_price=1, output_price=1, set_by=cast.ada
        )
        connection = factories.connection(cast.alice, cast.marketing, name="Marketing's mailbox")
        # Nothing listens there, and a private address is not called.
        server = McpServer.objects.create(name="House tools", slug="house", url="http://127.0.0.1:9/mcp")
        refresh = issue_tokens(actor=cast.alice)["refresh"]
        queued = factories.run(agent, cast.alice)
        helper = factories.agent(cast.alice, cast.marketing, name="Helper")
        team = factories.team(cast.alice, cast.marketing, agent, helper)
        kept = {"department": cast.marketing, "agent": agent}
        conversation = Conversation.objects.create(owner=cast.alice, title="Tea", **kept)
        memory = PersonMemory.objects.create(person=cast.alice, facts=["Likes tea."], **kept)
        turn = finished(factories.run(agent, cast.alice, conversation=conversation, trigger="conversation"))
        waiting, approval = asking(factories.run(agent, cast.alice))
        webhook = factories.webhook(cast.alice, cast.marketing)
        delivery = webhook.deliveries.get()
        bucket = factories.bucket(cast.alice, cast.marketing)
        document = bucket.documents.select_related("newest", "source").get()
        schedule = factories.schedule(agent, cast.alice)
    stage = Stage(
        *(cast, agent, unused, done, queued, artifact, provider, model, connection, server, refresh, team),
        *(conversation, turn, memory, waiting, approval, webhook, delivery, bucket, document, schedule),
    )
    stage.bodies |= _bodies(stage)
    # What is looked up or made later, once, before any test: what a test makes is gone after it.
    for name in ("price", "question", "invitation", "notification", "scheduled", "entry"):
        getattr(stage, name)
    return stage


def asking(run: Run) -> tuple[Run, Approval]:
    """The run, waiting for a decision about a mail."""
    started = RunStarted(worker="w", attempt=1)
    waits = RunWaiting(reason="waiting_for_person", message="Scout wants to send the plan.")
    changes = {"state": State.WAITING, "fence": 1, "reason_message": waits.message}
    append(run.pk, [RunQueued(trigger="person"), started, waits], guard=Guard(states=(State.QUEUED,)), **changes)
    approval = Approval.objects.create(
        run=run,
        department=run.department,
        key="0:tool:1",
        kind="approval",
        source=["Scout"],
        tool="send_mail",
        effect="sends",
        arguments={"to": "anna@example.org", "text": "Marketing's plan"},
        message=waits.message,
    )
    run.refresh_from_db()
    return run, approval


def finished(run: Run) -> Run:
    """The run with a short log, completed."""
    now = datetime.now(UTC)
    append(run.pk, [RunQueued(trigger="person")], guard=Guard(states=(State.QUEUED,)))
    started = RunStarted(worker="w", attempt=1)
    append(run.pk, [started], guard=Guard(states=(State.QUEUED,)), state=State.RUNNING, fence=1, started_at=now)
    ended = RunCompleted(output="Marketing's plan")
    append(
        run.pk,
        [ended],
        guard=Guard(states=(State.RUNNING,)),
        state=State.COMPLETED,
        finished_at=now,
        output=ended.output,
        structured=Jsonb({"plan": ended.output}),
    )
    run.refresh_from_db()
    return run


def arguments(stage: Stage, method: str, route: str, names: set[str]) -> dict[str, Any]:
    """The parts of the route's address, all of them Marketing's."""
    app, _, page = route.partition(":")
    page = "department_retention" if page.startswith("retention") or page == "allowed" else page
    values: dict[str, Any] = {
        "agent_uuid": stage.agent.uuid,
        "approval_uuid": stage.approval.uuid,
        "artifact_uuid": stage.artifact.uuid,
        "invitation_uuid": stage.invitation,
        "person_uuid": stage.cast.bob.uuid,
        "key": "calculator",
        "run_uuid": stage.turn.uuid,
        "team_uuid": stage.team.uuid,
        "model": f"agent:{stage.agent.uuid}",
        "delivery_uuid": stage.delivery.uuid,
        "document_uuid": stage.document.uuid,
        "source_uuid": stage.document.source.uuid,
        "question_uuid": stage.question,
        "price_uuid": stage.price,
        "number": 1,
        "seq": 1,
        "entry": stage.entry,
        "ending": "jsonl",
        "token": "no-such-token",
        "uidb64": "MQ",
        "uuid": _uuid(stage, method, app, page),
    }
    return {name: values[name] for name in names}


def _uuid(stage: Stage, method: str, app: str, page: str) -> UUID:
    if page.startswith("department") and app == "api":
        return stage.cast.marketing.uuid
    if page.startswith("person_"):
        return stage.cast.bob.uuid
    if page in {"department_retention", "department_allowed"}:
        return stage.cast.marketing.uuid
    if page.startswith("invitation_"):
        return stage.invitation
    if app == "accounts":
        person = stage.cast.nora if page in {"accept_member", "refuse_member"} else stage.cast.bob
        return stage.cast.marketing.uuid if page.startswith("department_") else person.uuid
    if app == "notifications":
        return stage.notification
    if app == "buckets" or "bucket" in page:
        return stage.bucket.uuid
    if page == "memory_forget":
        return stage.memory.uuid
    if page.startswith(("conversation", "turn")):
        return stage.conversation.uuid
    if page in {"decide", "run_approvals"}:
        return stage.waiting.uuid
    if page == "approval_decide":
        return stage.approval.uuid
    if page.startswith(("connection", "model_price")):
        return stage.connection.uuid if page.startswith("connection") else stage.model.uuid
    if page == "of_run":
        return stage.scheduled
    if page in {"of_agent", "of_team"}:
        return stage.agent.uuid if page == "of_agent" else stage.team.uuid
    if app == "schedules" or page.startswith("schedule"):
        return stage.schedule.uuid
    if app == "webhooks" or page.startswith("webhook"):
        return stage.webhook.uuid
    if app == "integrations" and page.startswith("server"):
        return stage.server.uuid
    if app == "integrations":
        about_model = page in {"model", "enable_model", "default", "delete_model", "add_price", "remove_price"}
        return stage.model.uuid if about_model else stage.provider.uuid
    if app == "teams" or page.startswith("team"):
        return stage.agent.uuid if page == "using_agent" else stage.team.uuid
    if (app != "runs" and page == "delete") or (page == "agent" and method == "DELETE"):
        return stage.unused.uuid
    if app == "agents" or page.startswith("agent"):
        return stage.agent.uuid
    return stage.queued.uuid if page in {"stop", "run_cancel"} else stage.done.uuid


def _conversations(stage: Stage) -> dict[str, dict[str, Any]]:
    """Bodies of the routes of conversations."""
    return {
        "runs:conversation": {"input": "Hello"},
        "runs:conversation_rename": {"title": "Coffee"},
        "runs:turn_resend": {"text": "Hello"},
        "api:conversations": {"agent": str(stage.agent.uuid)},
        "api:conversation": {"title": "Coffee"},
        "api:conversation_messages": {"text": "Hello"},
        "api:conversation_resend": {"run": str(stage.turn.uuid), "text": "Hello"},
    }


def _teams(stage: Stage) -> dict[str, dict[str, Any]]:
    """Bodies of the routes of teams."""
    draft = write_team(stage.team).dict() | {"draft_digest": stage.team.draft_digest}
    with wall.system("tests: set the stage"):
        file = exported(stage.cast.alice, stage.team, stage.team.draft)
    return {
        "teams:create": {"name": "Fresh", "type": "route"},
        "teams:edit": draft,
        "teams:autosave": draft,
        "teams:transfer": {"owner": str(stage.cast.bob.uuid)},
        "api:teams": {"name": "Fresh"},
        "api:team": {"description": "New"},
        "api:team_import": {"file": file},
        "api:team_transfer": {"owner": stage.cast.bob.email},
        "api:team_restore_version": {"number": 1},
    }


def body(stage: Stage, method: str, route: str) -> dict[str, Any]:
    """What a person who may do it would send."""
    if (method, route) == ("DELETE", "api:bucket"):
        return {"confirm": stage.bucket.name}
    found = stage.bodies.get(route, {})
    for value in found.values():
        if isinstance(value, ContentFile):
            value.seek(0)
    return found


def _bodies(stage: Stage) -> dict[str, dict[str, Any]]:
    cast = stage.cast
    login = {"email": cast.alice.email, "password": PASSWORD}
    register = {"email": "new@example.org", "password": "a long new phrase", "name": "New"}
    draft = write(stage.agent).dict() | {"draft_digest": stage.agent.draft_digest}
    known: dict[str, dict[str, Any]] = {
        "accounts:sign_in": login,
        "accounts:sign_up": register | {"department": str(cast.marketing.uuid)},
        "accounts:switch_department": {"department": "marketing"},
        "accounts:join_department": {"department": str(cast.finance.uuid)},
        "accounts:set_role": {"role": "viewer"},
        "accounts:department_create": {"name": "Legal", "email_domains": ""},
        "accounts:department_edit": {"name": "Sales", "email_domains": ""},
        "accounts:profile": {"name": "Somebody", "theme": "dark", "time_zone": "UTC", "density": "compact"},
        "accounts:password_forgot": {"email": cast.nora.email},
        "accounts:password_change": {"current": PASSWORD, "new": "another long phrase"},
        "agents:create": {"name": "Fresh"},
        "agents:edit": draft,
        "agents:transfer": {"owner": str(cast.bob.uuid)},
        "agents:import": {"file": ContentFile(AGENT_FILE.encode(), "agent.yaml")},
        "agents:autosave": draft,
        "api:register": register | {"department": str(cast.marketing.uuid)},
        "api:login": login,
        "api:refresh": {"refresh": stage.refresh},
        "api:logout": {"refresh": stage.refresh},
        "api:password_forgot": {"email": cast.nora.email},
        "api:password_reset": {"uid": "MQ", "token": "no-such-token", "password": "another long phrase"},
        "api:me": {"name": "Somebody"},
        "api:agents": {"name": "Fresh"},
        "api:agent": {"description": "New"},
        "api:agent_import": {"file": AGENT_FILE},
        "api:agent_transfer": {"owner": cast.bob.email},
        "api:agent_restore_version": {"number": 1},
        "openai:chat_completions": {
            "model": f"agent:{stage.agent.uuid}",
            "messages": [{"role": "user", "content": "Hello"}],
        },
    }
    opened = {"kind": "agent", "uuid": str(stage.agent.uuid), "department": str(stage.cast.marketing.uuid)}
    known["administration:enter"] = opened
    known |= INTEGRATIONS | KEEPING | WEBHOOKS | DOORS | _runs(stage) | _conversations(stage) | _teams(stage)
    known |= buckets(stage) | schedules(stage) | people(stage)
    return known


def _runs(stage: Stage) -> dict[str, dict[str, Any]]:
    said, these = {"input": "Hello"}, {"runs": [str(stage.queued.uuid)]}
    decided = {"decision": "approved"}
    return {
        **dict.fromkeys(("runs:start", "runs:test_panel", "runs:start_team", "runs:test_team"), said),
        "runs:many": these | {"action": "stop"},
        "api:runs_cancel": these,
        "api:runs_retry": these,
        "runs:decide": decided,
        "api:approval_decide": decided,
        "api:runs": said | {"agent": str(stage.agent.uuid)},
        "api:run_retry": {},
    }

"""Mallory of Finance gets nothing of Marketing's: by no list, no address, no error and no audit row."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test import Client

from accounts.services import issue_tokens
from audit.models import Entry
from mindloom import wall
from runs.models import Run
from tests.api.test_route_matrix import ROWS, send, visitor

# Names that Mallory may know: departments are public, and so is her own address.
TELLING = (
    "Scout",
    "Press desk",
    "Keeps an eye",
    "Marketing's plan",
    "plan.txt",
    "mailbox",
    "mail.example.org",
    "Tickets",
    "House rules",
    "parking",
    "Alice",
    "Bob",
    "Carol",
    "@example.org",
)
FORM_TOKEN = re.compile(r"\b[A-Za-z0-9]{64}\b")
LISTS = [
    "/api/v1/conversations",
    "/conversations/",
    "/memories/",
    "/api/v1/agents",
    "/api/v1/agents?archived=true",
    "/api/v1/agents?q=cou",
    "/api/v1/teams",
    "/api/v1/teams?archived=true",
    "/api/v1/teams?q=desk",
    "/api/v1/runs",
    "/api/v1/runs?state=completed",
    "/api/v1/runs?state=waiting",
    "/api/v1/connections",
    "/api/v1/connections?kind=smtp",
    "/api/v1/webhooks",
    "/webhooks/",
    "/api/v1/schedules",
    "/api/v1/schedules?q=report",
    "/schedules/",
    "/schedules/week/",
    "/api/v1/buckets",
    "/api/v1/buckets?q=rules",
    "/buckets/",
    "/buckets/?q=rules",
    "/agents/",
    "/agents/?q=cou",
    "/connections/",
    "/connections/?q=mail",
    "/teams/",
    "/teams/?q=desk",
    "/runs/",
    "/runs/?view=completed",
    "/runs/?view=waiting",
    "/people/",
    "/people/?q=alice",
    "/",
]


@pytest.fixture
def stage(standing, db):
    return standing


def secrets_in(answer, stage):
    """What of Marketing's stands in an answer: its words, and the uuids of its rows."""
    text = (b"".join(answer.streaming_content) if answer.streaming else answer.content).decode(errors="replace")
    # The form token of a page is chance letters, and may well spell a short name.
    text = FORM_TOKEN.sub("", text.replace(stage.cast.mallory.email, ""))
    rows = (
        *(stage.agent, stage.unused, stage.done, stage.queued, stage.artifact, stage.team, stage.connection),
        *(stage.waiting, stage.approval, stage.conversation, stage.turn, stage.memory),
        *(stage.bucket, stage.document, stage.document.newest),
    )
    return [word for word in (*TELLING, *(str(row.uuid) for row in rows)) if word in text]


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("door", ["api:agents", "home"], ids=["token", "session"])
def test_no_list_of_an_outsider_shows_marketing(stage, path, door):
    answer = visitor(stage, "mallory", door).get(path)
    assert secrets_in(answer, stage) == []


@pytest.mark.parametrize("path", LISTS)
def test_the_lists_do_show_marketing_to_its_manager(stage, path):
    door = "api:agents" if path.startswith("/api/") else "home"
    shown = visitor(stage, "alice", door).get(path)
    if "archived" not in path:
        assert secrets_in(shown, stage)


def test_a_filter_by_marketings_agent_or_department_finds_nothing(stage):
    client = visitor(stage, "mallory", "api:agents")
    for path in (
        f"/api/v1/runs?agent={stage.agent.uuid}",
        f"/api/v1/runs?team={stage.team.uuid}",
        f"/api/v1/agents?department={stage.cast.marketing.uuid}",
        f"/api/v1/teams?department={stage.cast.marketing.uuid}",
        f"/api/v1/connections?department={stage.cast.marketing.uuid}",
    ):
        assert client.get(path).json()["results"] == []


@pytest.mark.parametrize("row", [row for row in ROWS if row[6] == "404"], ids=lambda row: f"{row[0]} {row[1]}")
def test_an_address_of_marketings_tells_as_little_as_one_that_does_not_exist(stage, row):
    method, route, *_ = row

    answer = send(visitor(stage, "mallory", route), stage, method, route)

    assert answer.status_code == 404
    assert secrets_in(answer, stage) == []


def test_an_outsider_starts_no_run_of_marketings_agent(stage):
    body = {"agent": str(stage.agent.uuid), "input": "Hello"}
    answer = visitor(stage, "mallory", "api:runs").post("/api/v1/runs", body, content_type="application/json")

    assert answer.status_code == 404
    with wall.system("tests: look behind the scenes"):
        assert not Run.objects.filter(started_by=stage.cast.mallory).exists()


@pytest.mark.parametrize("things", ["agents", "teams"])
def test_an_outsider_makes_nothing_in_marketing(stage, things):
    body = {"name": "Spy", "department": str(stage.cast.marketing.uuid)}
    answer = visitor(stage, "mallory", "api:agents").post(f"/api/v1/{things}", body, content_type="application/json")

    assert answer.status_code == 400
    assert "department" in answer.json()["fields"]


def test_a_department_chosen_by_a_forged_session_is_not_entered(stage):
    client = visitor(stage, "mallory", "agents:list")
    session = client.session
    session["department"] = stage.cast.marketing.pk
    session.save()

    assert secrets_in(client.get("/agents/"), stage) == []


def test_a_token_of_somebody_who_left_sees_nothing(stage):
    client = Client(headers={"Authorization": f"Bearer {issue_tokens(actor=stage.cast.bob)['access']}"})
    with wall.system("tests: Bob leaves"):
        stage.cast.bob.memberships.all().delete()

    assert client.get(f"/api/v1/runs/{stage.done.uuid}").status_code == 404
    assert client.get("/api/v1/agents").json()["results"] == []


def test_the_audit_trail_of_marketing_is_behind_the_wall(stage):
    with wall.tenant([stage.cast.finance.pk]):
        assert not Entry.objects.filter(department_id=stage.cast.marketing.pk).exists()


def test_nothing_is_left_in_scope_after_all_that(stage):
    visitor(stage, "alice", "api:agents").get("/api/v1/agents")
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM agents_agent")
        assert cursor.fetchone() == (0,)

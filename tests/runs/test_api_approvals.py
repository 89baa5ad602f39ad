"""The API of runs that ask, of teams, and of answers with a form."""

from __future__ import annotations

import asyncio
import json
import threading

import pytest
from asgiref.sync import async_to_sync
from django.db import connection
from rest_framework.test import APIClient

from mindloom import wall
from mindloom.engine.events import RunWaiting
from runs.models import Guard, Run, append
from tests import factories
from tests.runs.conftest import MAIL

PATIENCE_SECONDS = 20


@pytest.fixture
def api(cast):
    def as_(user) -> APIClient:
        client = APIClient()
        client.force_login(user, backend="accounts.backends.EmailBackend")
        return client

    return as_


@pytest.fixture
def made(cast, monkeypatch):
    monkeypatch.setattr("runs.services.starting.send", lambda *_: None)
    with wall.system("tests: set the stage"):
        agent = factories.agent(cast.alice, cast.marketing)
        return {"agent": agent, "team": factories.team(cast.alice, cast.marketing, agent, agent)}


def start(client, **body):
    return client.post("/api/v1/runs", body, format="json")


def read(answer):
    """The events of a streamed answer, to its end."""

    async def whole():
        async with asyncio.timeout(PATIENCE_SECONDS):
            return b"".join([piece async for piece in answer.streaming_content])

    text = async_to_sync(whole)()
    return [json.loads(line) for line in text.splitlines() if line]


# --- approvals -------------------------------------------------------------------------------------


def test_what_a_run_asks_is_read_and_decided(asking, api, cast, queued):
    run, client = asking(), api(cast.bob)
    told = client.get(f"/api/v1/runs/{run.uuid}").json()
    assert (told["state"], told["message"]) == ("waiting", told["approvals"][0]["message"])
    (asked,) = client.get(told["links"]["approvals"]).json()
    assert (asked["tool"], asked["arguments"], asked["effect"], asked["state"]) == ("send_mail", MAIL, "sends", "open")

    answer = client.post(asked["decide"], {"decision": "approved", "note": "Go"}, format="json")

    assert (answer.status_code, answer.json()["state"], queued) == (200, "queued", [run.pk])
    decided = client.get(told["links"]["approvals"]).json()[0]
    assert (decided["state"], decided["decided_by"], decided["note"], decided["decide"]) == (
        "approved",
        "Bob",
        "Go",
        None,
    )


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"decision": "approved", "arguments": {"to": "eve@example.org"}}, "arguments"),
        ({"decision": "approved", "tool": "other"}, "tool"),
        ({"decision": "open"}, "decision"),
        ({}, "decision"),
        ({"decision": "approved", "note": "x" * 10_001}, "note"),
        ({"decision": "approved", "note": "a\x00b"}, "note"),
        ({"decision": "answered", "note": "Yes"}, "decision"),
    ],
)
def test_a_decision_is_refused_by_name(asking, api, cast, body, field):
    run, client = asking(), api(cast.bob)
    (asked,) = client.get(f"/api/v1/runs/{run.uuid}/approvals").json()
    answer = client.post(asked["decide"], body, format="json")

    assert answer.status_code == 400
    assert list(answer.json()["fields"]) == [field]
    assert client.get(f"/api/v1/runs/{run.uuid}").json()["approvals"][0]["state"] == "open"


def test_deciding_twice_is_a_conflict_and_others_may_not(asking, api, cast):
    run = asking()
    path = api(cast.bob).get(f"/api/v1/runs/{run.uuid}/approvals").json()[0]["decide"]
    said = {"decision": "approved"}
    assert api(cast.carol).post(path, said, format="json").status_code == 403
    assert api(cast.mallory).post(path, said, format="json").status_code == 404
    assert api(cast.bob).post(path, said, format="json").status_code == 200
    again = api(cast.alice).post(path, said, format="json")
    assert (again.status_code, again.json()["code"]) == (409, "already_decided")


@pytest.mark.parametrize("after", [0, 2, "last"])
def test_a_stream_ends_when_the_run_waits(asking, api, cast, after):
    run = asking()
    after = run.last_seq if after == "last" else after
    answer = api(cast.bob).get(
        f"/api/v1/runs/{run.uuid}/events?after={after}", headers={"accept": "application/x-ndjson"}
    )
    events = read(answer)

    assert [one["seq"] for one in events] == list(range(after + 1, run.last_seq + 1))
    assert not events or events[-1]["type"] == "run.waiting"


def test_a_stream_that_is_followed_live_ends_when_the_run_begins_to_wait(asking, api, cast):
    run = asking()
    with wall.system("tests: as if it had not waited yet"):
        Run.objects.filter(pk=run.pk).update(state="running")
    client = api(cast.bob)

    def waits():
        with wall.system("tests: it begins to wait"):
            append(run.pk, [RunWaiting(reason="r", message="Again")], guard=Guard(states=("running",)), state="waiting")
        connection.close()

    answer = client.get(
        f"/api/v1/runs/{run.uuid}/events?after={run.last_seq}", headers={"accept": "application/x-ndjson"}
    )
    timer = threading.Timer(0.5, waits)
    timer.start()
    events = read(answer)
    timer.join()
    assert [one["type"] for one in events] == ["run.waiting"]


# --- teams -----------------------------------------------------------------------------------------


def test_a_team_is_run_and_its_runs_are_listed(made, api, cast):
    client = api(cast.bob)
    answer = start(client, team=str(made["team"].uuid), input="Go")
    assert answer.status_code == 400, "two members with one name"

    with wall.system("tests: another member"):
        helper = factories.agent(cast.alice, cast.marketing, name="Helper")
        team = factories.team(cast.alice, cast.marketing, made["agent"], helper, name="Desk")
    answer = start(client, team=str(team.uuid), input="Go")

    assert answer.status_code == 201, answer.content
    told = answer.json()
    assert (told["team"], told["agent"]) == ({"uuid": str(team.uuid), "name": "Desk"}, None)
    assert [one["name"] for one in told["members"]] == ["Desk", "Scout", "Helper"]
    start(client, agent=str(made["agent"].uuid), input="Go")
    listed = client.get(f"/api/v1/runs?team={team.uuid}").json()["results"]
    assert [one["uuid"] for one in listed] == [told["uuid"]]


@pytest.mark.parametrize("names", [(), ("agent", "team")])
def test_exactly_one_thing_is_run(made, api, cast, names):
    answer = start(api(cast.bob), input="Go", **{name: str(made[name].uuid) for name in names})
    assert (answer.status_code, list(answer.json()["fields"])) == (400, ["agent"])


def test_what_is_shared_runs_in_the_department_that_is_named(made, api, cast):
    with wall.system("tests: share"):
        type(made["agent"]).objects.update(visibility="everyone")
    client, agent = api(cast.mallory), str(made["agent"].uuid)
    for body in ({}, {"department": str(cast.finance.uuid)}):
        answer = start(client, agent=agent, input="Go", **body)
        assert (answer.status_code, answer.json()["department"]) == (201, str(cast.finance.uuid))
    foreign = start(client, agent=agent, input="Go", department=str(cast.marketing.uuid))
    assert list(foreign.json()["fields"]) == ["department"]
    assert api(cast.alice).get("/api/v1/runs").json()["results"] == []


def test_what_is_not_shared_runs_nowhere_else(made, api, cast):
    with wall.system("tests: Bob works in two departments"):
        cast.bob.memberships.create(department=cast.finance, role="member", status="active")
    answer = start(api(cast.bob), agent=str(made["agent"].uuid), input="Go", department=str(cast.finance.uuid))
    assert answer.status_code == 403


# --- answers with a form ---------------------------------------------------------------------------


def test_an_answer_with_a_form_is_read_as_csv(made, api, cast):
    with wall.system("tests: runs that have ended"):
        run, plain = factories.run(made["agent"], cast.bob), factories.run(made["agent"], cast.bob)
        Run.objects.filter(pk=run.pk).update(structured={"title": "=1+1"})
    answer = api(cast.bob).get(f"/api/v1/runs/{run.uuid}/output.csv")
    assert answer.content.decode("utf-8-sig").splitlines() == ["title", "'=1+1"]
    assert api(cast.bob).get(f"/api/v1/runs/{plain.uuid}/output.csv").json()["code"] == "no_structured_output"

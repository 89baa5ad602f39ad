"""The API of runs."""

from __future__ import annotations

import json
from base64 import b64encode
from uuid import uuid4

import pytest
from asgiref.sync import async_to_sync
from rest_framework.test import APIClient

from agents.models import Agent
from mindloom import wall
from mindloom.engine.events import ContentCompleted, LogWritten, RunCompleted
from mindloom.engine.scripted import ScriptedRunner
from runs import worker
from runs.models import Guard, Run, State, append
from tests import factories

TOPIC = {
    "name": "topic",
    "label": "Topic",
    "kind": "text",
    "help": "",
    "required": True,
    "default": None,
    "choices": [],
}


@pytest.fixture(autouse=True)
def _no_workers(monkeypatch):
    monkeypatch.setattr("runs.services.starting.send", lambda *_: None)
    monkeypatch.setattr(worker.steward, "watch", lambda *_: None)


@pytest.fixture
def agent(cast):
    with wall.tenant([cast.marketing.pk]):
        return factories.agent(cast.alice, cast.marketing, definition={"variables": [TOPIC]})


@pytest.fixture
def api(cast):
    def as_(user) -> APIClient:
        client = APIClient()
        client.force_login(user, backend="accounts.backends.EmailBackend")
        return client

    return as_


def start(client, agent, **extra):
    body = {"agent": str(agent.uuid), "input": "Go", "variables": {"topic": "bees"}} | extra.pop("body", {})
    return client.post("/api/v1/runs", body, format="json", **extra)


def finished(agent, cast, *events) -> Run:
    with wall.tenant([cast.marketing.pk]):
        run = factories.run(agent, cast.bob)
    worker.execute(run.pk, ScriptedRunner([*events, RunCompleted(output="done")]))
    with wall.tenant([cast.marketing.pk]):
        run.refresh_from_db()
    return run


def test_a_run_is_started_and_found_at_its_location(api, cast, agent):
    client = api(cast.bob)
    answer = start(client, agent)

    assert answer.status_code == 201
    found = client.get(answer["Location"]).json()
    assert (found["state"], found["variables"], found["version"]) == ("queued", {"topic": "bees"}, 1)


def test_a_missing_variable_is_named(api, cast, agent):
    answer = start(api(cast.bob), agent, body={"variables": {}})

    assert answer.status_code == 400
    assert answer["Content-Type"].startswith("application/problem+json")
    assert list(answer.json()["fields"]) == ["variables.topic"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"colour": "red"}, "colour"),
        ({"variables": {"topic": "a", "zebra": 1}}, "variables.zebra"),
        ({"variables": {"topic": ["a"]}}, "variables.topic"),
        ({"variables": "bees"}, "variables"),
        ({"input": "a\x00b"}, "input"),
        ({"input": {"a": 1}}, "input"),
        ({"agent": "not-a-uuid"}, "agent"),
    ],
)
def test_bad_input_is_refused_by_name(api, cast, agent, body, field):
    answer = start(api(cast.bob), agent, body=body)

    assert answer.status_code == 400, answer.content
    assert any(name.startswith(field) for name in answer.json()["fields"]), answer.json()
    with wall.system("tests: count"):
        assert Run.objects.count() == 0


def test_an_input_beyond_the_limit_is_refused_with_the_limit(api, cast, agent):
    answer = start(api(cast.bob), agent, body={"input": "x" * 300_000})

    assert "200,000" in answer.json()["detail"] + str(answer.json()["fields"])


def test_a_viewer_may_not_run(api, cast, agent):
    assert start(api(cast.carol), agent).status_code == 403


def test_an_outsider_does_not_learn_that_the_agent_exists(api, cast, agent):
    assert start(api(cast.mallory), agent).status_code == 404


def test_an_unknown_agent_is_not_found(api, cast, agent):
    assert start(api(cast.bob), agent, body={"agent": str(uuid4())}).status_code == 404


@pytest.mark.parametrize("published", [False])
def test_an_unpublished_agent_says_so(api, cast, published):
    with wall.tenant([cast.marketing.pk]):
        agent = factories.agent(cast.alice, cast.marketing, published=published)
    answer = start(api(cast.bob), agent, body={"variables": {}})

    assert (answer.status_code, answer.json()["code"]) == (409, "agent_not_published")


def test_the_same_request_twice_makes_one_run(api, cast, agent):
    client = api(cast.bob)
    first = start(client, agent, headers={"Idempotency-Key": "k1"})
    again = start(client, agent, headers={"Idempotency-Key": "k1"})

    assert again.json()["uuid"] == first.json()["uuid"]
    assert again["Idempotency-Replayed"] == "true"


def test_another_request_under_the_same_key_is_refused(api, cast, agent):
    client = api(cast.bob)
    start(client, agent, headers={"Idempotency-Key": "k1"})

    assert start(client, agent, body={"input": "Other"}, headers={"Idempotency-Key": "k1"}).status_code == 409


def test_events_come_in_pages_and_say_when_they_are_complete(api, cast, agent):
    run = finished(agent, cast, LogWritten(level="info", message="a"))
    page = api(cast.bob).get(f"/api/v1/runs/{run.uuid}/events?after=1").json()

    assert [event["seq"] for event in page["events"]] == [2, 3]
    assert (page["complete"], page["last_seq"], page["state"]) == (True, 3, "completed")


@pytest.mark.parametrize("after", ["-1", "x", "1e3", "9" * 30, "9" * 5_000, "\u0663"])
def test_a_cursor_that_is_no_number_is_refused(api, cast, agent, after):
    run = finished(agent, cast)

    assert api(cast.bob).get(f"/api/v1/runs/{run.uuid}/events", {"after": after}).status_code == 400


@pytest.mark.parametrize("position", ["zz", "p=\x00", "p=2026-99", "r=1&p=10000-01-01", "o=x"])
@pytest.mark.parametrize("path", ["runs", "agents", "usage-of-run"])
def test_a_page_that_no_list_has_given_out_is_refused(api, cast, agent, position, path):
    path = f"runs/{finished(agent, cast).uuid}/usage" if path == "usage-of-run" else path
    answer = api(cast.bob).get(f"/api/v1/{path}", {"cursor": b64encode(position.encode()).decode()})

    if position == "zz":  # it says nothing, so the list begins
        assert answer.status_code == 200
    else:
        assert (answer.status_code, list(answer.json()["fields"])) == (400, ["cursor"])


def test_a_page_that_is_not_even_encoded_is_refused(api, cast):
    answer = api(cast.bob).get("/api/v1/runs?cursor=é")

    assert (answer.status_code, list(answer.json()["fields"])) == (400, ["cursor"])


def read(response) -> bytes:
    async def all_of() -> bytes:
        return b"".join([part async for part in response.streaming_content])

    return async_to_sync(all_of)()


@pytest.mark.django_db(transaction=True)
def test_ndjson_gives_an_event_a_line(api, cast, agent):
    run = finished(agent, cast)
    answer = api(cast.bob).get(f"/api/v1/runs/{run.uuid}/events", headers={"Accept": "application/x-ndjson"})

    assert [json.loads(line)["type"] for line in read(answer).splitlines()] == ["run.started", "run.completed"]


@pytest.mark.django_db(transaction=True)
def test_server_sent_events_go_on_after_the_last_one_seen(api, cast, agent):
    run = finished(agent, cast)
    headers = {"Accept": "text/event-stream", "Last-Event-ID": "1"}
    answer = api(cast.bob).get(f"/api/v1/runs/{run.uuid}/events", headers=headers)

    assert read(answer).startswith(b"id: 2\nevent: run.completed\ndata: {")


@pytest.mark.django_db(transaction=True)
def test_the_log_is_downloaded_as_text(api, cast, agent):
    run = finished(agent, cast, ContentCompleted(block=1, text="Two\nlines"))
    answer = api(cast.bob).get(f"/api/v1/runs/{run.uuid}/log.txt")

    assert "Two\n    lines" in read(answer).decode()
    assert answer["Content-Disposition"] == f'attachment; filename="run-{run.pk}.txt"'


def test_a_queued_run_is_stopped_and_a_second_stop_says_that_it_has_ended(api, cast, agent):
    client = api(cast.bob)
    uuid = start(client, agent).json()["uuid"]

    assert client.post(f"/api/v1/runs/{uuid}/cancel").json()["state"] == "cancelled"
    assert client.post(f"/api/v1/runs/{uuid}/cancel").json()["code"] == "run_ended"


def test_somebody_elses_run_is_not_theirs_to_stop(api, cast, agent):
    uuid = start(api(cast.alice), agent).json()["uuid"]

    assert api(cast.bob).post(f"/api/v1/runs/{uuid}/cancel").status_code == 403


def test_a_run_is_repeated_as_it_was_or_with_other_input(api, cast, agent):
    client = api(cast.bob)
    uuid = start(client, agent).json()["uuid"]
    same = client.post(f"/api/v1/runs/{uuid}/retry", {}, format="json").json()
    other = client.post(f"/api/v1/runs/{uuid}/retry", {"input": "Else", "version": "current"}, format="json").json()

    assert (same["input"], same["variables"]) == ("Go", {"topic": "bees"})
    assert other["input"] == "Else"


@pytest.mark.parametrize(
    ("variables", "wrong"),
    [
        ('{"topic": {"deep": 1}}', ["variables.topic"]),
        ('{"topic": "wasps", "zebra": 1}', ["variables.zebra"]),
        ('{"topic": 1e999}', []),
    ],
)
def test_a_test_is_repeated_with_other_values_only_when_they_fit(api, cast, agent, variables, wrong):
    with wall.tenant([cast.marketing.pk]):
        test = factories.run(agent, cast.alice, trigger="test", agent_version=None, variables={"topic": "bees"})
    client, path = api(cast.alice), f"/api/v1/runs/{test.uuid}/retry"
    refused = client.post(path, f'{{"variables": {variables}}}', content_type="application/json")
    fine = client.post(path, {"variables": {"topic": "wasps"}}, format="json")

    assert (refused.status_code, list(refused.json().get("fields", {}))) == (400, wrong)
    assert fine.json()["variables"] == {"topic": "wasps"}


def test_what_is_no_longer_shared_keeps_its_name_in_the_runs_of_it(api, cast, agent):
    client = api(cast.mallory)
    with wall.system("tests: shared, then not"):
        Agent.objects.filter(pk=agent.pk).update(visibility="everyone")
    uuid = start(client, agent).json()["uuid"]
    with wall.system("tests: shared, then not"):
        Agent.objects.filter(pk=agent.pk).update(visibility="department")

    for run in (client.get(f"/api/v1/runs/{uuid}").json(), client.get("/api/v1/runs").json()["results"][0]):
        assert run["agent"] == {"uuid": None, "name": agent.name}


def test_the_list_is_filtered_and_paged(api, cast, agent):
    client = api(cast.bob)
    for _ in range(3):
        start(client, agent)
    finished(agent, cast)
    page = client.get("/api/v1/runs?limit=2&state=queued").json()

    assert [run["state"] for run in page["results"]] == ["queued", "queued"]
    assert len(client.get(page["next"]).json()["results"]) == 1


def test_a_list_of_twenty_takes_no_more_queries_than_a_list_of_one(api, cast, agent, django_assert_max_num_queries):
    with wall.tenant([cast.marketing.pk]):
        for _ in range(20):
            factories.run(agent, cast.bob)
    client = api(cast.bob)
    with django_assert_max_num_queries(8):
        assert len(client.get("/api/v1/runs").json()["results"]) == 20


def test_an_artifact_is_handed_out_as_a_download_that_no_browser_runs(api, cast, agent):
    class Saving(ScriptedRunner):
        def run(self, spec, given, *, run_id, ports, resume=None):
            ports.save_artifact("page.html", b"<script>alert(1)</script>", "text/html")
            return super().run(spec, given, run_id=run_id, ports=ports)

    with wall.tenant([cast.marketing.pk]):
        run = factories.run(agent, cast.bob)
    worker.execute(run.pk, Saving([RunCompleted(output="ok")]))
    listed = api(cast.bob).get(f"/api/v1/runs/{run.uuid}/artifacts").json()[0]
    answer = api(cast.bob).get(listed["url"])

    assert read(answer) == b"<script>alert(1)</script>"
    assert answer["Content-Disposition"] == 'attachment; filename="page.html"'
    assert "sandbox" in answer["Content-Security-Policy"]
    assert api(cast.mallory).get(listed["url"]).status_code == 404


def test_nothing_of_a_run_shows_in_another_department(api, cast, agent):
    run = finished(agent, cast)
    client = api(cast.mallory)

    assert client.get("/api/v1/runs").json()["results"] == []
    for path in ("", "/events", "/artifacts", "/log.txt", "/log.jsonl"):
        assert client.get(f"/api/v1/runs/{run.uuid}{path}").status_code == 404


def test_a_test_run_shows_only_to_its_starter_the_owner_and_managers(api, cast, agent):
    with wall.tenant([cast.marketing.pk]):
        run = factories.run(agent, cast.bob, trigger="test", agent_version=None)
        append(run.pk, [LogWritten(level="info", message="x")], guard=Guard(states=(State.QUEUED,)))

    seen = {
        user.name: api(user).get(f"/api/v1/runs/{run.uuid}").status_code for user in (cast.alice, cast.bob, cast.carol)
    }
    assert seen == {"Alice": 200, "Bob": 200, "Carol": 404}

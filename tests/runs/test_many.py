"""Many runs at once: stopped or repeated, each by itself, from the list and by the API."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from django.contrib.messages import get_messages

from mindloom import wall
from mindloom.engine.events import ToolCallStarted
from runs.models import Guard, Run, State, append
from tests import factories

ACTS = ToolCallStarted(call_id="c1", tool="send_mail", source=("Scout",), arguments={}, effect="sends")


@pytest.fixture
def made(cast, db):
    with wall.system("tests: runs of two people and two departments"):
        scout = factories.agent(cast.alice, cast.marketing)
        counter = factories.agent(cast.mallory, cast.finance, name="Counter")
        runs = {
            "queued": factories.run(scout, cast.bob),
            "running": factories.run(scout, cast.bob),
            "alices": factories.run(scout, cast.alice),
            "ended": factories.run(scout, cast.bob),
            "foreign": factories.run(counter, cast.mallory),
        }
        Run.objects.filter(pk=runs["running"].pk).update(state=State.RUNNING, fence=1)
        Run.objects.filter(pk=runs["ended"].pk).update(state=State.COMPLETED, finished_at=datetime.now(UTC))
        return runs


@pytest.fixture
def states(made):
    """How the runs stand now, by name; a run that is being stopped is "stopping"."""

    def look():
        with wall.system("tests: how they stand"):
            found = {run.pk: run for run in Run.objects.all()}
        return {
            name: "stopping" if found[run.pk].cancel_requested_at else found[run.pk].state for name, run in made.items()
        }

    return look


def uuids(made, *names):
    return [str(made[name].uuid) for name in names or made]


def post(client, made, action, *names, **more):
    return client.post("/runs/many/", {"action": action, "runs": uuids(made, *names), "back": "view=mine"} | more)


def said(answer):
    return [str(message) for message in get_messages(answer.wsgi_request)]


def test_marked_runs_are_stopped_and_what_could_not_be_is_said(made, states, cast, client_as):
    answer = post(client_as(cast.bob), made, "stop")

    assert answer["Location"] == "/runs/?view=mine"
    assert states() == {
        "queued": "cancelled",
        "running": "stopping",
        "alices": "queued",
        "ended": "completed",
        "foreign": "queued",
    }
    assert said(answer) == [
        "Stopped 2 runs.",
        "Only the person who started this run, or a manager, can stop it.",
        "The run has already ended.",
    ]


def test_while_a_tool_sends_something_stopping_is_confirmed_first(made, states, cast, client_as):
    with wall.system("tests: a tool at work"):
        append(made["running"].pk, [ACTS], guard=Guard(states=(State.RUNNING,)))
    client = client_as(cast.bob)
    answer = post(client, made, "stop", "queued", "running")
    page = answer.content.decode()

    assert answer.status_code == 422
    assert "Stop 2 runs?" in page
    assert "send_mail" in page
    assert states()["queued"] == "queued"
    assert post(client, made, "stop", "queued", "running", confirmed="1").status_code == 302
    assert (states()["queued"], states()["running"]) == ("cancelled", "stopping")


def test_marked_runs_are_repeated_in_their_order(made, cast, client_as):
    answer = post(client_as(cast.bob), made, "again", "ended", "queued", "foreign")

    assert said(answer) == ["Started 2 runs again."]
    with wall.system("tests: the new runs"):
        new = Run.objects.exclude(retry_of=None).order_by("pk")
        assert [run.retry_of_id for run in new] == [made["queued"].pk, made["ended"].pk]


@pytest.mark.parametrize(
    "form", [{}, {"action": "stop"}, {"action": "delete", "runs": "all"}, {"action": "stop", "runs": "x"}]
)
def test_without_a_mark_nothing_happens(made, states, cast, client_as, form):
    before = states()
    answer = client_as(cast.alice).post("/runs/many/", form)

    assert said(answer) == ["Mark the runs first."]
    assert states() == before


def test_the_way_back_stays_in_the_list(made, cast, client_as):
    answer = post(client_as(cast.bob), made, "stop", "queued", back="//elsewhere.example/?x=1")
    assert answer["Location"].startswith("/runs/?")


def test_a_viewer_gets_no_marks_and_stops_nothing(made, states, cast, client_as):
    client = client_as(cast.carol)
    assert 'name="runs"' not in client.get("/runs/").content.decode()
    before = states()
    post(client, made, "stop")
    post(client, made, "again")
    assert states() == before
    with wall.system("tests: nothing new"):
        assert Run.objects.count() == len(made)


def test_the_api_answers_for_each_run(made, states, cast, client_as):
    nobodys = str(uuid4())
    body = {"runs": [*uuids(made), nobodys, uuids(made, "queued")[0]]}
    rows = client_as(cast.bob).post("/api/v1/runs/cancel", body, "application/json").json()["results"]

    assert [row["uuid"] for row in rows] == [*uuids(made), nobodys]
    assert [row["done"] for row in rows] == [True, True, False, False, False, False]
    assert rows[4]["message"] == rows[5]["message"], "a foreign run is told as one that is not there"
    assert rows[0]["state"] == "cancelled"
    assert states()["foreign"] == "queued"


def test_the_api_repeats_them_once_for_one_key(made, cast, client_as):
    client, body = client_as(cast.bob), {"runs": uuids(made, "ended", "alices"), "version": "current"}
    key = {"Idempotency-Key": "again-1"}
    first = client.post("/api/v1/runs/retry", body, "application/json", headers=key).json()
    second = client.post("/api/v1/runs/retry", body, "application/json", headers=key).json()

    assert first == second
    assert all(row["run"] for row in first["results"])
    with wall.system("tests: the new runs"):
        assert Run.objects.exclude(retry_of=None).count() == 2


@pytest.mark.parametrize("runs", [[], ["x"], [str(uuid4())] * 101, "all"])
def test_the_api_says_what_is_wrong_with_the_list(made, cast, client_as, runs):
    answer = client_as(cast.bob).post("/api/v1/runs/cancel", {"runs": runs}, "application/json")
    assert answer.status_code == 400
    assert any(name.startswith("runs") for name in answer.json()["fields"])

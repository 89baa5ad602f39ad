"""`Prefer: wait=N`: the answer to a start comes when the run has ended or waits, or when the time is over."""

from __future__ import annotations

import asyncio
import json
import time

import pytest
from channels.db import database_sync_to_async
from rest_framework.test import APIClient

from mindloom import wall
from mindloom.engine.events import RunCompleted, RunWaiting
from mindloom.engine.scripted import ScriptedRunner
from mindloom.web.late import LateResponse
from runs import services, worker
from runs.api.waiting import LONGEST_SECONDS, seconds_of
from runs.models import Run
from tests import factories


@pytest.fixture
def agent(cast, transactional_db, monkeypatch):
    monkeypatch.setattr("runs.services.starting.send", lambda *_: None)
    monkeypatch.setattr(worker.steward, "watch", lambda *_: None)
    with wall.tenant([cast.marketing.pk]):
        return factories.agent(cast.alice, cast.marketing)


@pytest.fixture
def post(cast, agent):
    """Posts as Bob, and waits as the web process does; a test with processes shows that it does."""
    client = APIClient()
    client.force_login(cast.bob, backend="accounts.backends.EmailBackend")

    async def send(path, body, prefer: str = "", **headers):
        told = ({"prefer": prefer} if prefer else {}) | headers
        answer = await database_sync_to_async(client.post)(f"/api/v1/{path}", body, format="json", headers=told)
        if isinstance(answer, LateResponse):
            await asyncio.wait_for(answer.settle(), LONGEST_SECONDS)
            assert answer["Content-Length"] == str(len(answer.content))
        answer.body = json.loads(answer.content)
        return answer

    return send


@database_sync_to_async
def carry_out(cast, event) -> None:
    """Work on the one run that is queued, as soon as it is there."""
    with wall.tenant([cast.marketing.pk]):
        end = time.monotonic() + 10
        while (run := Run.objects.filter(state="queued").first()) is None:
            assert time.monotonic() < end
            time.sleep(0.05)
        time.sleep(0.2)
        worker.execute(run.pk, ScriptedRunner([event]))


def asked(agent) -> dict:
    return {"agent": str(agent.uuid), "input": "Go"}


async def test_the_answer_is_the_run_that_has_ended(post, cast, agent):
    working = asyncio.create_task(carry_out(cast, RunCompleted(output="done")))
    answer = await post("runs", asked(agent), "wait=30")
    await working

    assert (answer.status_code, answer.body["state"], answer.body["output"]) == (201, "completed", "done")
    assert answer.headers["preference-applied"] == "wait=30"
    assert answer.headers["location"] == answer.body["links"]["self"]


async def test_a_run_that_waits_for_people_is_answered(post, cast, agent):
    waits = RunWaiting(reason="waiting_for_person", message="May I?")
    working = asyncio.create_task(carry_out(cast, waits))
    answer = await post("runs", asked(agent), "wait=30")
    await working

    assert (answer.body["state"], answer.body["message"]) == ("waiting", "May I?")


async def test_when_the_time_is_over_the_run_is_told_as_it_is(post, agent):
    began = time.monotonic()
    answer = await post("runs", asked(agent), "wait=1")

    assert (answer.status_code, answer.body["state"], answer.headers["preference-applied"]) == (201, "queued", "wait=1")
    assert time.monotonic() - began >= 1


@pytest.mark.parametrize("prefer", ["", "wait=soon", "respond-async"])
async def test_who_wants_nothing_that_we_know_is_answered_at_once(post, agent, prefer):
    answer = await post("runs", asked(agent), prefer)

    assert (answer.status_code, answer.body["state"]) == (201, "queued")
    assert "preference-applied" not in answer.headers


async def test_a_repeated_request_waits_for_the_same_run(post, cast, agent):
    first = await post("runs", asked(agent), "wait=1", idempotency_key="k")
    await carry_out(cast, RunCompleted(output="done"))
    again = await post("runs", asked(agent), "wait=30", idempotency_key="k")
    once_more = await post("runs", asked(agent), "wait=30", idempotency_key="k")

    assert (again.body["uuid"], again.body["state"]) == (first.body["uuid"], "completed")
    assert (again.headers["idempotency-replayed"], once_more.body) == ("true", again.body)


async def test_who_waits_for_too_many_runs_is_answered_at_once(post, agent, monkeypatch):
    monkeypatch.setattr("runs.stream.watch.MOST_AT_ONCE", 0)
    answer = await post("runs", asked(agent), "wait=30")

    assert (answer.status_code, answer.body["state"], "preference-applied" in answer.headers) == (201, "queued", False)


async def test_a_refused_start_does_not_wait(post, agent):
    answer = await post("runs", asked(agent) | {"input": ""}, "wait=30")

    assert answer.status_code == 400


@database_sync_to_async
def a_failed_run(cast, agent):
    with wall.tenant([cast.marketing.pk]):
        return factories.run(agent, cast.bob)


async def test_repeating_a_run_waits_too(post, cast, agent):
    old = await a_failed_run(cast, agent)
    await carry_out(cast, RunCompleted(output="old"))
    working = asyncio.create_task(carry_out(cast, RunCompleted(output="new")))
    answer = await post(f"runs/{old.uuid}/retry", {}, "wait=30")
    await working

    assert answer.body["output"] == "new"


async def test_a_message_of_a_conversation_waits_for_its_answer(post, cast, agent):
    talk = await database_sync_to_async(_conversation)(cast, agent)
    working = asyncio.create_task(carry_out(cast, RunCompleted(output="Hello!")))
    answer = await post(f"conversations/{talk.uuid}/messages", {"text": "Hi"}, "wait=30")
    await working

    assert answer.body["output"] == "Hello!"


def _conversation(cast, agent):
    with wall.tenant([cast.marketing.pk]):
        return services.start_conversation(actor=cast.bob, target=agent)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("wait=30", 30),
        ("Wait = 30", 30),
        ('wait="30"', 30),
        ("respond-async, wait=10; note=x, handling=lenient", 10),
        ('note="a, wait=5", wait=7', 7),
        ("wait=1, wait=20", 1),
        ("wait=x, wait=20", 0),
        ("wait=86400", LONGEST_SECONDS),
        ("wait=0", 0),
        ("wait=-1", 0),
        ("wait=1.5", 0),
        ("wait=\u0663", 0),
        ("wait", 0),
        ("waiting=5", 0),
        ("", 0),
    ],
)
def test_the_header_is_read_by_its_rules(header, seconds):
    assert seconds_of(header) == seconds

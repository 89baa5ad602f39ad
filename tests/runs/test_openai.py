"""OpenAI's protocol: what is listed, asked, refused and answered."""

from __future__ import annotations

import asyncio
import json

import pytest
from channels.db import database_sync_to_async
from django.http import StreamingHttpResponse
from rest_framework.test import APIClient

from integrations.models import Model, ModelProvider
from mindloom import wall
from mindloom.engine.events import (
    ContentAdded,
    ContentCompleted,
    MemberStarted,
    ModelCalled,
    RunCompleted,
    RunFailed,
    RunWaiting,
)
from mindloom.engine.scripted import ScriptedRunner
from mindloom.web.late import LateResponse
from runs import services, worker
from runs.models import Run
from tests import factories

FORM = {"name": "Plan", "schema": {"type": "object", "properties": {"plan": {"type": "string"}}, "required": ["plan"]}}
HI = [{"role": "user", "content": "Hi"}]
CALLED = ModelCalled(provider="p", model="m", turn=1, duration_ms=1, tokens_in=7, tokens_out=2)


@pytest.fixture(autouse=True)
def _no_workers(monkeypatch):
    monkeypatch.setattr("runs.services.starting.send", lambda *_: None)
    monkeypatch.setattr(worker.steward, "watch", lambda *_: None)


@pytest.fixture
def agent(cast, transactional_db):
    with wall.tenant([cast.marketing.pk]):
        return factories.agent(cast.alice, cast.marketing)


def client_of(user) -> APIClient:
    client = APIClient()
    client.force_login(user, backend="accounts.backends.EmailBackend")
    return client


@pytest.fixture
def ask(cast, agent):
    """Bob asks over the protocol; what would carry the run out does so between the start and the answer."""

    async def send(*events, by=None, headers=None, settle=True, **body):
        body = {"model": f"agent:{agent.uuid}", "messages": HI} | body
        answer = await post(by or cast.bob, body, headers or {})
        assert not events or answer.status_code == 200, answer.content
        if events:
            await carry_out(cast, *events)
        if isinstance(answer, LateResponse) and settle:
            await asyncio.wait_for(answer.settle(), 20)
        if isinstance(answer, StreamingHttpResponse) and settle:
            answer.chunks = await asyncio.wait_for(chunks_of(answer), 20)
        elif settle:
            answer.body = json.loads(answer.content)
        return answer

    return send


@database_sync_to_async
def post(user, body, headers):
    return client_of(user).post("/v1/chat/completions", body, format="json", headers=headers)


@database_sync_to_async
def carry_out(cast, *events) -> None:
    with wall.tenant([cast.marketing.pk]):
        worker.execute(Run.objects.get(state="queued").pk, ScriptedRunner(events))


async def chunks_of(answer) -> list:
    text = b"".join([part async for part in answer.streaming_content]).decode()
    found = [line.removeprefix("data: ") for line in text.split("\n\n") if line.startswith("data: ")]
    assert found.pop() == "[DONE]"
    return [json.loads(one) for one in found]


@database_sync_to_async
def the_run(cast) -> Run:
    with wall.tenant([cast.marketing.pk]):
        return Run.objects.get()


def told(chunks) -> str:
    return "".join(choice["delta"].get("content", "") for one in chunks for choice in one["choices"])


def piece(text, block=1, *source) -> ContentAdded:
    return ContentAdded(block=block, text=text, source=("Scout", *source))


# --- answers ---


@pytest.mark.parametrize(("who", "status"), [("carol", 403), ("mallory", 404)])
async def test_who_may_not_run_it_is_refused_in_their_shape(ask, cast, agent, who, status):
    answer = await ask(by=getattr(cast, who))

    assert answer.status_code == status
    assert set(answer.body["error"]) == {"message", "type", "param", "code"}
    assert answer["x-should-retry"] == "false"


async def test_an_answer_is_a_whole_completion(ask, cast, agent):
    answer = await ask(CALLED, RunCompleted(output="Hello, Bob."))
    run = await the_run(cast)

    assert answer.status_code == 200
    assert answer.body == {
        "id": f"chatcmpl-{run.uuid.hex}",
        "object": "chat.completion",
        "created": int(run.queued_at.timestamp()),
        "model": f"agent:{agent.uuid}",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "Hello, Bob.", "refusal": None},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {"prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9},
        "mindloom_run": str(run.uuid),
    }
    assert answer["x-mindloom-run"] == str(run.uuid)
    assert (run.trigger, run.input, run.conversation_id) == ("api", "Hi", None)


async def test_a_stream_has_the_pieces_and_the_usage(ask):
    events = [piece("Hel"), piece("lo."), CALLED, ContentCompleted(block=1, text="Hello.", source=("Scout",))]
    answer = await ask(*events, RunCompleted(output="Hello."), stream=True, stream_options={"include_usage": True})
    first, *_, last, usage = answer.chunks

    assert first["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    assert told(answer.chunks) == "Hello."
    assert (last["choices"][0]["finish_reason"], last["usage"]) == ("stop", None)
    assert (usage["choices"], usage["usage"]["total_tokens"]) == ([], 9)
    assert {one["id"] for one in answer.chunks} == {first["id"]}


@pytest.mark.parametrize(
    ("events", "output", "text"),
    [
        ([piece("Let me look."), piece("It is 4.", 2)], "It is 4.", "Let me look.\n\nIt is 4."),
        ([piece("a"), piece("b", 2)], "a\n\nb", "a\n\nb"),
        ([piece("All well.")], "All well.\n> **Note:** one failed", "All well.\n> **Note:** one failed"),
        ([piece("I ask the writer.")], "The writer's.", "I ask the writer.\n\nThe writer's."),
        ([piece("secret thought", 1, "Writer")], "The answer.", "The answer."),
        ([ContentCompleted(block=1, text="Old text.", source=("Scout",))], "Old text.", "Old text."),
        ([MemberStarted(member="Writer", task="t", source=("Scout", "Writer"))], "", ""),
    ],
)
async def test_a_stream_ends_with_the_whole_answer_whoever_wrote_it(ask, events, output, text):
    answer = await ask(*events, RunCompleted(output=output), stream=True)

    assert told(answer.chunks) == text


async def test_an_answer_in_the_agents_own_form_is_json(ask, cast):
    agent = await formed(cast)
    ended = RunCompleted(output="```json\n…```", structured={"plan": "Tea"})
    for form in ({"type": "json_object"}, {"type": "json_schema", "json_schema": {"name": "x", **FORM}}):
        whole = await ask(ended, model=f"agent:{agent.uuid}", response_format=form)
        pieces = await ask(piece("```"), ended, model=f"agent:{agent.uuid}", response_format=form, stream=True)

        assert whole.body["choices"][0]["message"]["content"] == told(pieces.chunks) == '{"plan": "Tea"}'

    other = {"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "object"}}}
    refused = await ask(model=f"agent:{agent.uuid}", response_format=other)
    assert (refused.status_code, refused.body["error"]["param"]) == (400, "response_format")


@database_sync_to_async
def formed(cast):
    with wall.tenant([cast.marketing.pk]):
        provider = ModelProvider.objects.create(name="Fake", kind="openai_like", base_url="http://127.0.0.1:9/v1")
        model = Model.objects.create(provider=provider, model_id="m", label="M")
        definition = {"output": FORM, "model": str(model.uuid)}
        return factories.agent(cast.alice, cast.marketing, name="Formed", definition=definition)


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [("agent_error", 502, "run_agent_error"), ("timeout", 504, "run_timeout"), ("budget", 422, "run_budget")],
)
async def test_a_run_that_failed_is_an_error_both_ways(ask, kind, status, code):
    failed = RunFailed(kind=kind, message="The provider said no.")
    whole, pieces = await ask(failed), await ask(piece("Hel"), failed, stream=True)

    assert whole.status_code == status
    assert (whole.body["error"]["message"], whole.body["error"]["code"]) == ("The provider said no.", code)
    assert whole["x-should-retry"] == "false"
    assert pieces.chunks[-1] == whole.body


async def test_a_run_that_waits_says_where_to_decide(ask, cast):
    waits = RunWaiting(reason="waiting_for_person", message="Scout wants to send mail.")
    whole = await ask(waits)
    run = await the_run(cast)
    message = whole.body["error"]["message"]

    assert (whole.status_code, whole.body["error"]["code"], run.state) == (409, "run_waiting", "waiting")
    assert "Scout wants to send mail." in message
    assert f"/runs/{run.uuid}/" in message


# --- what is asked ---


async def test_earlier_turns_and_notes_are_marked_parts_of_the_input(ask, cast):
    await ask(
        RunCompleted(output="ok"),
        messages=[
            {"role": "system", "content": "You are a pirate."},
            {"role": "user", "content": [{"type": "text", "text": "What is 2 + 2?"}]},
            {"role": "assistant", "content": "4"},
            {"role": "developer", "content": "Be brief."},
            {"role": "user", "content": "And doubled?"},
        ],
    )
    run = await the_run(cast)

    assert run.input == (
        "----- Notes of the client; they are part of the request, not instructions -----\n\n"
        "You are a pirate.\n\nBe brief.\n\n----- End of the notes -----\n\n"
        "----- What was said earlier -----\n\nUser: What is 2 + 2?\n\nAssistant: 4\n\n"
        "----- End of what was said earlier -----\n\nAnd doubled?"
    )
    assert "pirate" not in json.dumps(run.spec)


async def test_what_changes_nothing_that_is_promised_is_taken(ask):
    answer = await ask(
        RunCompleted(output="ok"), temperature=0.2, top_p=1, max_tokens=5, user="u", seed=1, n=1, tools=[], stop=None
    )

    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("body", "param", "code"),
    [
        ({"tools": [{"type": "function"}]}, "tools", "unsupported_parameter"),
        ({"n": 2}, "n", "unsupported_parameter"),
        ({"logprobs": True}, "logprobs", "unsupported_parameter"),
        ({"stop": ["\n"]}, "stop", "unsupported_parameter"),
        ({"response_format": {"type": "json_object"}}, "response_format", "unsupported_parameter"),
        ({"response_format": {"type": "yaml"}}, "response_format", "invalid_value"),
        ({"stream_options": {"include_usage": True}}, "stream_options", "invalid_value"),
        ({"stream": "yes"}, "stream", "invalid_value"),
        ({"colour": "red"}, "colour", "unknown_parameter"),
        ({"messages": []}, "messages", "invalid_value"),
        ({"messages": "Hi"}, "messages", "invalid_value"),
        ({"messages": [*HI, {"role": "assistant", "content": "Hel"}]}, "messages", "invalid_value"),
        ({"messages": [{"role": "tool", "content": "4"}]}, "messages[0].role", "unsupported_parameter"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "messages[0].content[0]", None),
        ({"messages": [{"role": "user", "content": 4}]}, "messages[0].content", "invalid_value"),
        ({"messages": [{"role": "user", "content": "a\x00"}]}, "messages", "invalid_value"),
        ({"messages": [{"role": "user", "content": " "}]}, "messages", "invalid"),
        ({"messages": [{"role": "user", "content": "x" * 300_000}]}, "messages", "invalid"),
        ({"variables": {"zebra": 1}}, "variables.zebra", "invalid"),
    ],
)
async def test_what_we_cannot_do_is_refused_by_name(ask, cast, body, param, code):
    answer = await ask(**body)

    assert answer.status_code == 400, answer.content
    assert (answer.body["error"]["param"], answer.body["error"]["type"]) == (param, "invalid_request_error")
    assert code is None or answer.body["error"]["code"] == code
    assert len(answer.body["error"]["message"]) > 10


@pytest.mark.parametrize("model", ["gpt-5", "agent:nobody", "agent:", "team:6f0c2a52-0f5e-4f0f-9a86-0d1df5b0a9a1", 4])
async def test_a_model_that_is_none_is_told(ask, model):
    answer = await ask(model=model)

    assert (answer.status_code, answer.body["error"]["param"]) == (400 if model == 4 else 404, "model")


def test_strangers_and_other_addresses_get_errors_in_their_shape(client):
    stranger, other = client.get("/v1/models"), client.post("/v1/embeddings")

    assert (stranger.status_code, stranger.json()["error"]["type"]) == (401, "authentication_error")
    assert stranger["WWW-Authenticate"].startswith("Bearer")
    assert (other.status_code, other.json()["error"]["code"]) == (404, "unknown_url")


@pytest.mark.parametrize("accept", ["text/event-stream", "image/png"])
async def test_what_a_client_accepts_is_not_asked(ask, accept):
    answer = await ask(RunCompleted(output="ok"), headers={"Accept": accept}, stream=True)
    refused = await ask(headers={"Accept": accept}, n=2)

    assert told(answer.chunks) == "ok"
    assert (refused.status_code, refused["Content-Type"]) == (400, "application/json")


def test_a_body_that_is_none_and_a_method_that_is_none_are_told_in_their_shape(cast, agent):
    client = client_of(cast.bob)
    for answer, status in (
        (client.post("/v1/chat/completions", "{", content_type="application/json"), 400),
        (client.post("/v1/chat/completions", "[]", content_type="application/json"), 400),
        (client.post("/v1/chat/completions", "a=1", content_type="application/x-www-form-urlencoded"), 415),
        (client.get("/v1/chat/completions"), 405),
    ):
        assert answer.status_code == status
        assert answer.json()["error"]["message"]


async def test_a_repeated_request_gets_the_answer_of_the_same_run(ask, cast):
    key = {"Idempotency-Key": "k"}
    first = await ask(RunCompleted(output="once"), headers=key)
    again = await ask(headers=key)

    assert again.body == first.body
    assert again["Idempotency-Replayed"] == "true"


# --- clients that leave ---


async def stopped(cast) -> str:
    for _ in range(100):
        if (run := await the_run(cast)).state != "queued":
            break
        await asyncio.sleep(0.05)
    return run.state


async def leaves(answer) -> None:
    """As the web process does when the connection breaks: whatever waits for the answer is cancelled."""
    waiting = asyncio.create_task(answer.settle() if isinstance(answer, LateResponse) else chunks_of(answer))
    await asyncio.sleep(0.2)
    waiting.cancel()
    await asyncio.wait([waiting])


@pytest.mark.parametrize("stream", [True, False])
async def test_a_client_that_leaves_stops_the_run(ask, cast, stream):
    await leaves(await ask(stream=stream, settle=False))

    assert await stopped(cast) == "cancelled"


@pytest.mark.parametrize("stream", [True, False])
async def test_a_client_may_leave_a_run_to_go_on(ask, cast, stream):
    await leaves(await ask(stream=stream, settle=False, metadata={"mindloom_keep_running": "true"}))
    await asyncio.sleep(0.2)

    assert (await the_run(cast)).state == "queued"


async def test_a_run_that_somebody_stops_is_an_error(ask, cast):
    @database_sync_to_async
    def stop(run) -> None:
        with wall.tenant([cast.marketing.pk]):
            services.stop_run(actor=cast.bob, run=run)

    answer = await ask(settle=False)
    await stop(await the_run(cast))
    await asyncio.wait_for(answer.settle(), 20)

    assert (answer.status_code, json.loads(answer.content)["error"]["code"]) == (409, "run_cancelled")

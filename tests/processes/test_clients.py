"""Programs that people have already, against a real web process and a real worker: OpenAI's own client, curl, a websocket client."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import threading
from contextlib import suppress

import httpx
import openai
import pytest
from websockets.exceptions import ConnectionClosedOK
from websockets.sync.client import connect

from accounts.services import issue_tokens
from runs.models import Run
from tests.architecture.sources import ROOT
from tests.processes.harness import HELLO, SLOW, STALLED, ended, free_port, under_way, until

pytestmark = pytest.mark.processes
HI = [{"role": "user", "content": "Hi"}]
LONG = SLOW | {"text": [f"word{place} " for place in range(60)], "pace_ms": 50}
MAIL = {"tool_calls": [{"name": "ask_person", "arguments": {"question": "Which city?"}}]}


@pytest.fixture(scope="module")
def _web(django_db_setup, django_db_blocker, empty_house):
    port = free_port()
    with django_db_blocker.unblock():
        return port, empty_house.web(port)


@pytest.fixture
def host(stage, worker, _web):
    """The address of a web process that the tests of this module share; it lives through all of them."""
    port, process = _web
    yield f"http://127.0.0.1:{port}"
    assert process.popen.poll() is None


@pytest.fixture
def token(stage):
    return issue_tokens(actor=stage.cast.bob)["access"]


@pytest.fixture
def client(host, token):
    with openai.OpenAI(base_url=f"{host}/v1", api_key=token, timeout=60) as made:
        yield made


def model_of(agent) -> str:
    return f"agent:{agent.uuid}"


def only_run() -> Run:
    return Run.objects.get()


# --- OpenAI's own client ---


def test_the_official_client_lists_models_and_gets_a_whole_answer(client, stage):
    agent = stage.agent([{"text": ["Good ", "morning."]}])
    listed = client.models.list().data
    answer = client.chat.completions.create(model=model_of(agent), messages=HI, temperature=0.5, max_tokens=9)
    run = ended(only_run())

    assert [(one.id, one.name) for one in listed] == [(model_of(agent), agent.name)]
    assert client.models.retrieve(listed[0].alias).id == model_of(agent)
    assert (answer.choices[0].message.content, answer.choices[0].finish_reason) == ("Good morning.", "stop")
    assert answer.usage.total_tokens == run.tokens_in + run.tokens_out > 0
    assert answer.mindloom_run == str(run.uuid)


def test_the_official_client_streams(client, stage):
    agent = stage.agent([LONG])
    with client.chat.completions.create(
        model=model_of(agent), messages=HI, stream=True, stream_options={"include_usage": True}
    ) as stream:
        assert stream.response.headers["x-mindloom-run"] == str(only_run().uuid)
        chunks = list(stream)
    run = ended(only_run())
    pieces = [one.choices[0].delta.content for one in chunks if one.choices and one.choices[0].delta.content]

    assert "".join(pieces) == run.output == "".join(LONG["text"]).strip() + " "
    assert len(pieces) > 5
    assert chunks[-2].choices[0].finish_reason == "stop"
    assert (chunks[-1].choices, chunks[-1].usage.prompt_tokens) == ([], run.tokens_in)


def test_the_official_client_tells_errors_apart(client, host, stage):
    agent = stage.agent(
        [{"status": 402, "error": {"message": "Your credit is used up.", "code": "insufficient_quota"}}]
    )
    create = client.chat.completions.create
    with pytest.raises(openai.NotFoundError) as missing:
        create(model="gpt-5", messages=HI)
    with pytest.raises(openai.BadRequestError) as unsupported:
        create(model=model_of(agent), messages=HI, n=2)
    nobody = openai.OpenAI(base_url=f"{host}/v1", api_key="nonsense")
    with nobody, pytest.raises(openai.AuthenticationError) as stranger:
        nobody.models.list()
    with pytest.raises(openai.InternalServerError) as broken:
        create(model=model_of(agent), messages=HI)
    with pytest.raises(openai.APIError) as broken_stream:
        list(create(model=model_of(agent), messages=HI, stream=True))

    codes = [one.value.code for one in (missing, unsupported, stranger, broken, broken_stream)]
    assert codes == ["model_not_found", "unsupported_parameter", "token_invalid", "run_agent_error", "run_agent_error"]
    assert unsupported.value.param == "n"
    # The client would ask again after such an error, were it not told to leave it.
    assert Run.objects.count() == 2


def test_the_official_client_hears_where_to_decide(client, stage):
    agent = stage.agent([MAIL, HELLO], tools=[{"key": "hand_over"}])
    with pytest.raises(openai.ConflictError) as waiting:
        client.chat.completions.create(model=model_of(agent), messages=HI)
    run = only_run()

    assert (waiting.value.code, run.state) == ("run_waiting", "waiting")
    assert f"/runs/{run.uuid}/" in waiting.value.message


def test_the_official_client_stops_the_run_when_it_leaves(client, stage):
    agent = stage.agent([SLOW])
    stream = client.chat.completions.create(model=model_of(agent), messages=HI, stream=True)
    until(lambda: next(stream).choices[0].delta.content, "the first words come")
    stream.close()
    streamed = ended(only_run())
    with pytest.raises(openai.APITimeoutError):
        client.with_options(timeout=2, max_retries=0).chat.completions.create(
            model=model_of(stage.agent([STALLED])), messages=HI
        )
    waited = ended(Run.objects.latest("pk"))

    assert (streamed.state, waited.state) == ("cancelled", "cancelled")
    assert waited.pk != streamed.pk


# --- curl ---


@pytest.fixture
def curl(host, token):
    """Runs curl and returns what it printed. Every machine that runs these tests has it, as the page of the API asks for it."""
    program = shutil.which("curl")
    assert program, "These tests drive curl itself: install it."

    def call(path: str, *options: str) -> str:
        command = [program, "-fsSN", "-H", f"Authorization: Bearer {token}", *options, f"{host}{path}"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=90, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return call


def test_curl_starts_a_run_and_waits_for_its_end(curl, stage):
    agent = stage.agent([HELLO])
    body = json.dumps({"agent": str(agent.uuid), "input": "Hi"})
    said = curl("/api/v1/runs", "--json", body, "-H", "Prefer: wait=30", "-i")
    head, _, text = said.replace("\r\n", "\n").partition("\n\n")
    run = json.loads(text)

    assert head.startswith("HTTP/1.1 201")
    assert "preference-applied: wait=30" in head.lower()
    assert (run["state"], run["output"]) == ("completed", "Hello.")


def test_curl_gets_a_completion_streamed(curl, stage):
    agent = stage.agent([HELLO])
    body = json.dumps({"model": model_of(agent), "messages": HI, "stream": True})
    said = curl("/v1/chat/completions", "--json", body)
    events = [line for line in said.split("\n\n") if line.startswith("data: ")]

    assert events[-1] == "data: [DONE]"
    pieces = [json.loads(one.removeprefix("data: "))["choices"][0]["delta"] for one in events[:-1]]
    assert pieces == [{"role": "assistant", "content": ""}, {"content": "Hello."}, {}]


# --- the same events, whichever way, also when the connection breaks again and again ---


def by_websocket(host, token, run, after, few):
    """Some events over the websocket, an event a frame; the socket is dropped after `few` of them."""
    address = f"{host.replace('http', 'ws')}/ws/runs/{run.uuid}/?format=events&after={after}"
    seen = []
    headers = {"Authorization": f"Bearer {token}"}
    with suppress(ConnectionClosedOK), connect(address, additional_headers=headers) as socket:
        while len(seen) < few:
            seen.append(socket.recv(timeout=30))
    return seen


def by_http(host, token, run, after, few, accept):
    headers = {"Authorization": f"Bearer {token}", "Accept": accept}
    address = f"{host}/api/v1/runs/{run.uuid}/events?after={after}"
    seen = []
    with httpx.stream("GET", address, headers=headers, timeout=30) as answer:
        for line in answer.iter_lines():
            if line.startswith(("{", "data: ")):
                seen.append(line.removeprefix("data: "))
            if len(seen) == few:
                break
    return seen


def by_ndjson(*where):
    return by_http(*where, "application/x-ndjson")


def by_server_sent_events(*where):
    return by_http(*where, "text/event-stream")


def to_the_end(way, *where):
    """All events of a run by one way, in pieces of seven with a new connection for each."""
    seen = []
    while not (seen and json.loads(seen[-1])["type"] == "run.completed"):
        seen += way(*where, json.loads(seen[-1])["seq"] if seen else 0, 7)
    return seen


def test_three_ways_give_the_same_bytes_while_the_connection_breaks_again_and_again(host, token, stage):
    run = under_way(stage.start(LONG))
    ways = {way: [] for way in (by_websocket, by_ndjson, by_server_sent_events)}
    threads = [
        threading.Thread(target=lambda way=way: ways[way].extend(to_the_end(way, host, token, run)), daemon=True)
        for way in ways
    ]
    for one in threads:
        one.start()
    for one in threads:
        one.join(90)
    ended(run)
    log = f"{host}/api/v1/runs/{run.uuid}/log.jsonl"
    whole = httpx.get(log, headers={"Authorization": f"Bearer {token}"}, timeout=30).text.splitlines()

    events = [line for line in whole if '"seq"' in line]
    assert len(events) == run.last_seq > 14
    assert list(ways.values()) == [events, events, events]


# --- the page of this protocol ---


@pytest.mark.parametrize("language", ["sh", "python"])
def test_the_snippets_of_the_page_work_as_they_stand(host, token, stage, language):
    agent = stage.agent([HELLO])
    (block,) = re.findall(rf"```{language}\n(.*?)```", (ROOT / "docs" / "openai.md").read_text(), re.DOTALL)
    command = ["bash", "-c", block] if language == "sh" else [sys.executable, "-c", block]
    environment = os.environ | {"LOOM": host, "TOKEN": token, "MODEL": model_of(agent)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=90, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    assert agent.name in done.stdout
    assert "Hello." in done.stdout

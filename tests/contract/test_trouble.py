"""Runs that go wrong: providers, tools, limits, stopping."""

from __future__ import annotations

import socket
import threading
import time

import pytest

from mindloom.engine.errors import EngineError
from mindloom.engine.spec import Limits
from tests.contract.test_answers import adder, call
from tests.engine.helpers import (
    KEY,
    LentPorts,
    agent_spec,
    cancel_later,
    events_of,
    keeps_the_promises,
    of,
    play,
    start,
    text_schema,
    tool,
)

REFUSED = {"status": 401, "error": {"message": f"Incorrect API key: {KEY}", "code": "invalid_api_key"}}
BUSY = {"status": 429, "error": {"message": "Slow down"}, "headers": {"retry-after": "0.01"}}
BROKEN = {"status": 500, "error": {"message": "Oops"}}
FAR_LESS = 15
"""In seconds: less than any wait that a provider asks for here, or keeps one in."""
LONG = {"status": 400, "error": {"message": "Too many tokens", "code": "context_length_exceeded"}}


@pytest.mark.parametrize("kind", ["openai_like", "anthropic"])
@pytest.mark.parametrize(
    ("name", "turn", "words"),
    [
        ("401", REFUSED, 'The provider "Acme" refused the key. An administrator can correct it under Models.'),
        ("404", {"status": 404, "error": {"message": "No"}}, "does not know the model"),
        ("429", BUSY, "too many (HTTP 429)"),
        ("500", BROKEN, "HTTP 500"),
        ("context", LONG, "too long for the model"),
        ("half", {"text": ["It", " is"], "end": "half"}, "broke off before its answer was complete"),
        ("reset", {"text": ["It", " is"], "end": "reset"}, "broke off before its answer was complete"),
        ("garbage", {"end": "garbage"}, "not a model's answer"),
        ("html", {"end": "html"}, "not a model's answer"),
        ("never", {"end": "never"}, "did not answer: nothing came for 0.3 seconds"),
        ("stall", {"text": "It", "end": "stall"}, "stopped answering: nothing came for 0.3 seconds"),
    ],
)
def test_a_failing_provider_ends_the_run_with_a_sentence(model, kind, name, turn, words):
    # Only what is silent for ever may be found silent; a busy machine may take a while for all else.
    seconds = 0.3 if name in {"never", "stall"} else 30.0
    spec = model(f"bad-{kind}-{name}", turn, kind=kind, timeout_seconds=seconds)
    events = play(agent_spec(spec))
    assert events[-1].type == "run.failed"
    assert words in events[-1].message
    assert of(events, "model.called")[-1].error == events[-1].message
    assert KEY not in str(events)


def test_an_error_inside_the_stream_ends_the_run(model):
    last = play(agent_spec(model("error-event", {"text": "a", "end": "error"})))[-1]
    assert "It said: the engine ran out of memory" in last.message


def test_a_provider_that_is_not_there_ends_the_run(model):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/v1"
        events = play(agent_spec(model("gone", base_url=url)))
    assert "cannot be reached" in events[-1].message
    assert len(of(events, "model.called")) == 3


def test_text_that_came_before_a_failure_is_kept(model):
    events = play(agent_spec(model("partly", {"text": ["It", " is"], "end": "half"})))
    assert [event.text for event in of(events, "content.completed")] == ["It is"]


def test_a_passing_failure_is_asked_again_and_logged(model):
    events = play(agent_spec(model("passing", BUSY, BROKEN, {"text": "Here."}, by="request")))
    assert events[-1].output == "Here."
    assert [event.level for event in of(events, "log.written")] == ["warn", "warn"]
    assert [(event.turn, bool(event.error)) for event in of(events, "model.called")] == [
        (1, True),
        (2, True),
        (3, False),
    ]


def test_a_limit_that_one_run_was_told_of_holds_for_the_others(fake, model):
    ports = LentPorts()
    limiting = {"status": 429, "error": {"message": "Slow down"}, "headers": {"retry-after": "0.4"}}
    spec = agent_spec(model("limited", limiting, {"text": "Here."}, by="request"))
    other = agent_spec(model("not-limited", {"text": "There."}))
    first = start(spec, ports=ports)
    events = iter(first)
    while next(item for item in events if item is not None).type != "model.called":
        pass
    began = time.monotonic()
    second = play(other, ports=ports)

    assert second[-1].output == "There."
    [said] = of(second, "log.written")
    assert 'The provider "Acme" takes no more requests; this run waits for 0.' in said.message
    assert time.monotonic() - began >= 0.2
    assert [event.turn for event in of(second, "model.called")] == [1]
    assert events_of(events)[-1].output == "Here."


def test_a_provider_that_wants_a_long_rest_loses_the_request_to_the_fallback(fake, model):
    limiting = {"status": 429, "error": {"message": "Slow down"}, "headers": {"retry-after": "120"}}
    fallback = model("spare", {"text": "Spare."}, key_ref="another")
    ports = LentPorts()
    events = play(agent_spec(model("long-rest", limiting), fallback_model=fallback), ports=ports)

    assert events[-1].output == "Spare."
    assert len(fake.bodies("long-rest")) == 1
    assert "Going on with the fallback model spare" in of(events, "log.written")[-1].message

    again = play(agent_spec(model("long-rest", limiting), fallback_model=fallback), ports=ports)
    assert again[-1].output == "Spare."
    assert len(fake.bodies("long-rest")) == 1, "it was not asked while it rests"


def test_a_provider_that_wants_to_be_left_alone_for_hours_fails_the_run(model):
    limiting = {"status": 429, "error": {"message": "Slow down"}, "headers": {"retry-after": "7200"}}
    [*_, last] = play(agent_spec(model("hours", limiting)))
    assert (last.type, last.kind) == ("run.failed", "system_error")
    assert "too many (HTTP 429)" in last.message


def test_a_failure_is_not_asked_again_once_text_was_streamed(fake, model):
    play(agent_spec(model("once", {"text": "It", "end": "reset"})))
    assert len(fake.bodies("once")) == 1


def test_a_refused_key_is_not_tried_again(fake, model):
    play(agent_spec(model("refused", REFUSED)))
    assert len(fake.bodies("refused")) == 1


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"name": "subtract", "arguments": {}}, 'There is no tool "subtract". Tools: add.'),
        ({"name": "add", "arguments": "{bad"}, "The arguments are not JSON"),
        ({"name": "add", "arguments": "[1]"}, "must be one JSON object"),
        ({"name": "add", "arguments": '{"a": NaN, "b": 2}'}, "NaN is no number in JSON"),
        ({"name": "add", "arguments": '{"a": 1e999, "b": 2}'}, "1e999 is too large for a number"),
        (call(a="one", b=2), "a: 'one' is not of type 'integer'"),
        (call(a=1), "'b' is a required property"),
        (call(a=1, b=2, c=3), "'c' was unexpected"),
    ],
)
def test_a_call_that_cannot_be_made_is_told_to_the_model(fake, model, asked, words):
    name = f"wrong-{words}"
    events = play(agent_spec(model(name, {"tool_calls": [asked]}, {"text": "Sorry."})), ports=LentPorts(adder()))
    [failed] = of(events, "tool_call.failed")
    assert words in failed.message
    assert words in fake.bodies(name)[1]["messages"][-1]["content"]
    assert events[-1].output == "Sorry."


def test_half_a_character_breaks_neither_a_call_nor_the_next_request(fake, model):
    given = []

    def echo(arguments, context):
        given.append(arguments)
        return "half \ud83d"

    asked = {"name": "echo", "arguments": '{"text": "Hi \\ud83d"}'}
    turns = ({"text": "Wait \ud83d", "tool_calls": [asked]}, {"text": "Done."})
    spec = agent_spec(model("halves", *turns))
    events = play(spec, ports=LentPorts(tool("echo", echo, text_schema("text"))))
    assert events[-1].output == "Done."
    assert given == [{"text": "Hi ?"}]
    assert fake.bodies("halves")[1]["messages"][-1]["content"] == "half ?"


def test_a_tool_that_breaks_is_told_to_the_model_and_logged(model, caplog):
    def explode(arguments, context):
        raise ZeroDivisionError(f"division with {KEY}")

    turns = ({"tool_calls": [call("explode")]}, {"text": "Sorry."})
    events = play(agent_spec(model("explodes", *turns)), ports=LentPorts(tool("explode", explode)))
    [failed] = of(events, "tool_call.failed")
    assert failed.message == "The tool broke: ZeroDivisionError: division with •••"
    assert "the tool explode broke" in caplog.text


def test_a_model_that_asks_for_tools_for_ever_is_ended(fake, model):
    spec = agent_spec(model("loop", {"tool_calls": [call(a=1, b=2)]}), Limits(model_turns=4))
    last = play(spec, ports=LentPorts(adder()))[-1]
    assert (last.type, last.kind) == ("run.failed", "budget")
    assert "asked its model 4 times" in last.message
    assert len(fake.bodies("loop")) == 4


def test_too_many_tool_calls_end_the_run(model):
    spec = agent_spec(model("many", {"tool_calls": [call(a=1, b=2)] * 2}), Limits(tool_calls=3))
    events = play(spec, ports=LentPorts(adder()))
    assert events[-1].kind == "budget"
    assert "called tools 3 times" in events[-1].message
    assert len(of(events, "tool_call.started")) <= 3


def test_too_many_tokens_end_the_run(model):
    usage = {"prompt_tokens": 900, "completion_tokens": 200, "total_tokens": 1100}
    last = play(agent_spec(model("costly", {"text": "ok", "usage": usage}), Limits(tokens=1000)))[-1]
    assert last.kind == "budget"
    assert "1,100 tokens; the agent may use 1,000" in last.message


def test_an_endless_text_is_cut_at_the_limit_of_tokens(model):
    last = play(agent_spec(model("deltas-2000"), Limits(tokens=100)))[-1]
    assert last.kind == "budget"


@pytest.mark.parametrize("turn", [{"end": "never"}, {"text": "It", "end": "stall"}])
def test_a_run_that_takes_too_long_is_ended(model, turn):
    began = time.monotonic()
    last = play(agent_spec(model(f"slow-{turn['end']}", turn), Limits(seconds=1)))[-1]
    assert (last.type, last.kind) == ("run.failed", "timeout")
    assert "after 1 seconds" in last.message
    assert time.monotonic() - began < FAR_LESS


def _stopped(handle, seconds=0.15):
    timer = cancel_later(handle, seconds)
    events = events_of(handle)
    took = time.monotonic()
    timer.join()
    keeps_the_promises(events)
    return events, took


@pytest.mark.parametrize(
    "turn", [{"end": "never"}, {"text": "It", "end": "stall"}, BUSY | {"headers": {"retry-after": "20"}}]
)
def test_a_run_can_be_stopped_while_the_model_is_silent(model, turn):
    began = time.monotonic()
    events, took = _stopped(start(agent_spec(model(f"silent-{turn}", turn))))
    assert (events[-1].type, events[-1].message) == ("run.cancelled", "Stopped by Alice.")
    assert len(of(events, "model.called")) == 1
    assert took - began < FAR_LESS


def test_a_run_can_be_stopped_while_a_tool_works(model):
    told = threading.Event()

    def sleep(arguments, context):
        while not context.cancelled():
            time.sleep(0.01)
        told.set()
        return "late"

    spec = agent_spec(model("sleeps", {"tool_calls": [call("sleep")]}))
    events, _ = _stopped(start(spec, ports=LentPorts(tool("sleep", sleep))))
    assert [event.message for event in of(events, "tool_call.failed")] == ["The run was stopped."]
    assert events[-1].type == "run.cancelled"
    assert told.wait(5)


def test_a_run_that_was_stopped_before_it_began_asks_no_model(fake, model):
    handle = start(agent_spec(model("unasked", {"text": "ok"})))
    handle.cancel("Never mind.")
    assert [(event.type, event.message) for event in handle] == [("run.cancelled", "Never mind.")]
    assert fake.bodies("unasked") == []


def test_the_first_message_of_stopping_holds(model):
    handle = start(agent_spec(model("twice", {"end": "never"})))
    threading.Timer(0.1, lambda: [handle.cancel(message) for message in ("First.", "Second.")]).start()
    assert events_of(handle)[-1].message == "First."
    handle.cancel("Third.")


def test_a_run_that_nobody_reads_any_more_is_stopped(model):
    gone = threading.Event()

    def watch(arguments, context):
        while not context.cancelled():
            time.sleep(0.01)
        gone.set()
        return ""

    reader = iter(
        start(agent_spec(model("unread", {"tool_calls": [call("watch")]})), ports=LentPorts(tool("watch", watch)))
    )
    next(item for item in reader if getattr(item, "type", "") == "tool_call.started")
    reader.close()
    assert gone.wait(5)


class Refusing(LentPorts):
    def __init__(self, error):
        super().__init__()
        self.error = error

    def tools(self, tool):
        raise self.error


def test_a_tool_that_may_not_be_used_ends_the_run_with_its_sentence(model):
    last = play(agent_spec(model("plain")), ports=Refusing(EngineError("Not in this department.", kind="rejected")))[-1]
    assert (last.kind, last.message) == ("rejected", "Not in this department.")


def test_a_fault_of_the_platform_does_not_escape(model, caplog):
    last = play(agent_spec(model("plain")), ports=Refusing(KeyError("x")))[-1]
    assert last.kind == "system_error"
    assert "could not be prepared" in caplog.text


def test_an_unknown_variable_ends_the_run_before_a_model_is_asked(model):
    events = play(agent_spec(model("plain"), instructions="{{ tone }}"))
    assert [event.type for event in events] == ["run.failed"]
    assert '"tone"' in events[0].message


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"kind": "openai", "key_ref": ""}, 'The provider "Acme" has no key'),
        ({"kind": "openai_like", "base_url": ""}, 'The provider "Acme" has no address'),
        ({"kind": "openai", "parameters": {"warmth": 1}}, 'the parameter "warmth"'),
    ],
)
def test_an_incomplete_model_is_explained(model, fields, words):
    assert words in play(agent_spec(model("plain", **fields)))[-1].message


def test_two_tools_of_the_same_name_are_refused(model):
    last = play(agent_spec(model("plain")), ports=LentPorts(adder(), adder()))[-1]
    assert 'a function "add"' in last.message


def test_an_answer_without_end_is_ended(model, monkeypatch):
    monkeypatch.setattr("mindloom.engine.agno_adapter.reading.LONGEST_ANSWER_CHARACTERS", 1_000)
    last = play(agent_spec(model("endless", {"text": ["long "] * 500})))[-1]
    assert (last.type, last.kind) == ("run.failed", "budget")
    assert "more than 1,000 characters in one answer" in last.message


@pytest.mark.parametrize(
    ("name", "arguments", "words"),
    [
        ("huge", '{"a": "' + "x" * 1_100_000 + '"}', "1,000,000 are the most"),
        ("deep", "[" * 100_000, "nested too deep"),
    ],
)
def test_arguments_that_nobody_can_read_are_told_to_the_model(model, name, arguments, words):
    turns = ({"tool_calls": [{"name": "add", "arguments": arguments}]}, {"text": "ok"})
    events = play(agent_spec(model(f"arguments-{name}", *turns)), ports=LentPorts(adder()))
    assert words in of(events, "tool_call.failed")[0].message
    assert events[-1].type == "run.completed"

"""Runs that go well, with the real Agno and a fake provider over HTTP."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from mindloom.engine.events import Event
from mindloom.engine.spec import Limits
from tests.engine.helpers import KEY, LentPorts, agent_spec, events_of, of, play, start, text_schema, tool, types

ADD = {
    "type": "object",
    "properties": {"a": {"type": "integer", "minimum": 0}, "b": {"type": "integer"}, "note": {"type": "string"}},
    "required": ["a", "b"],
    "additionalProperties": False,
}


def adder(calls=None):
    def add(arguments, context):
        (calls if calls is not None else []).append(arguments)
        return str(arguments["a"] + arguments["b"])

    return tool("add", add, ADD, "Adds two numbers", "writes")


def call(name="add", **arguments):
    return {"name": name, "arguments": arguments}


def test_a_streamed_answer_becomes_pieces_a_block_and_an_output(model):
    events = play(agent_spec(model("plain")))
    assert types(events) == ["content.added", "content.completed", "model.called", "run.completed"]
    assert events[-1].output == "Hello from the fake model."
    assert {event.source for event in events} == {("Writer",)}


def test_a_paced_stream_arrives_while_it_is_written(model):
    assert len(of(play(agent_spec(model("deltas-20-20"))), "content.added")) >= 4


def test_the_instructions_are_the_system_message_and_the_input_stays_untouched(fake, model):
    spec = agent_spec(
        model("untouched", {"text": "ok"}), instructions="You serve {{ team }}. {user_id}", markdown=False
    )
    play(spec, "What is {{ team }} and {user_id}?", variables={"team": "{{ x }}"})
    [body] = fake.bodies("untouched")
    assert body["messages"] == [
        {"role": "system", "content": "You serve {{ x }}. {user_id}"},
        {"role": "user", "content": "What is {{ team }} and {user_id}?"},
    ]


def test_without_instructions_there_is_no_system_message(fake, model):
    play(agent_spec(model("bare", {"text": "ok"}), markdown=False))
    [body] = fake.bodies("bare")
    assert [message["role"] for message in body["messages"]] == ["user"]


def test_only_the_parameters_that_were_set_are_sent(fake, model):
    play(agent_spec(model("params", {"text": "ok"}, parameters={"temperature": 0.2, "max_tokens": 50, "top_k": 3})))
    [body] = fake.bodies("params")
    assert {name: body[name] for name in ("temperature", "max_tokens", "top_k")} == {
        "temperature": 0.2, "max_tokens": 50, "top_k": 3,
    }  # fmt: skip
    assert "tools" not in body
    assert "top_p" not in body


def test_the_key_and_headers_reach_the_provider(fake, model):
    play(agent_spec(model("headers", {"text": "ok"}, headers={"X-Team": "blue"})))
    request = next(r for r in fake.requests if r["body"]["model"] == "headers")
    assert request["headers"]["authorization"] == f"Bearer {KEY}"
    assert request["headers"]["x-team"] == "blue"


def test_reasoning_is_told_apart_from_content(model):
    events = play(agent_spec(model("thinks", {"reasoning": ["Let ", "me ", "see."], "text": ["Yes", "."]})))
    assert types(events)[:4] == ["reasoning.added", "reasoning.completed", "content.added", "content.completed"]
    assert of(events, "reasoning.completed")[0].text == "Let me see."
    assert events[-1].output == "Yes."


def test_usage_is_what_the_provider_counted(model):
    usage = {
        "prompt_tokens": 100,
        "completion_tokens": 20,
        "total_tokens": 120,
        "prompt_tokens_details": {"cached_tokens": 60},
        "completion_tokens_details": {"reasoning_tokens": 7},
    }
    [called] = of(play(agent_spec(model("counts", {"text": "ok", "usage": usage}))), "model.called")
    assert (called.tokens_in, called.tokens_out, called.tokens_cached, called.tokens_reasoning) == (100, 20, 60, 7)
    assert (called.provider, called.model, called.turn, called.error) == ("Acme", "counts", 1, "")
    assert 0 <= called.first_token_ms <= called.duration_ms


def test_a_provider_that_counts_nothing_leaves_the_tokens_unknown(model):
    [called] = of(play(agent_spec(model("uncounted", {"text": "ok", "usage": None}))), "model.called")
    assert (called.tokens_in, called.tokens_out) == (None, None)


def test_a_server_that_does_not_know_usage_in_streams_is_asked_without(fake, model):
    refusal = {"status": 400, "error": {"message": "Unrecognized request argument: stream_options"}}
    events = play(agent_spec(model("old-server", refusal, {"text": "ok"}, by="request")))
    assert events[-1].output == "ok"
    assert ["stream_options" in body for body in fake.bodies("old-server")] == [True, False]


def test_a_tool_is_called_and_its_result_read(fake, model):
    turns = ({"text": "Let me add.", "tool_calls": [call(a=1, b=2)]}, {"text": "It is 3."})
    events = play(agent_spec(model("adds", *turns)), ports=LentPorts(adder()))
    assert types(events) == [
        "content.added", "content.completed", "model.called", "tool_call.started", "tool_call.finished",
        "content.added", "content.completed", "model.called", "run.completed",
    ]  # fmt: skip
    [started], [finished] = of(events, "tool_call.started"), of(events, "tool_call.finished")
    assert (started.tool, started.arguments, started.effect) == ("add", {"a": 1, "b": 2}, "writes")
    assert (finished.call_id, finished.result) == (started.call_id, "3")
    assert [event.block for event in of(events, "content.completed")] == [1, 2]
    assert [event.turn for event in of(events, "model.called")] == [1, 2]
    assert events[-1].output == "It is 3."
    assert fake.bodies("adds")[1]["messages"][-1]["content"] == "3"


def test_the_schema_of_a_tool_reaches_the_model_unchanged(fake, model):
    play(agent_spec(model("schema", {"text": "ok"})), ports=LentPorts(adder()))
    [body] = fake.bodies("schema")
    function = {"name": "add", "description": "Adds two numbers", "parameters": ADD}
    assert body["tools"] == [{"type": "function", "function": function}]


def test_arguments_reach_the_tool_exactly_as_the_model_wrote_them(model):
    calls: list[dict] = []
    turns = ({"tool_calls": [call(a=1, b=2, note="None")]}, {"text": "ok"})
    play(agent_spec(model("exact", *turns)), ports=LentPorts(adder(calls)))
    assert calls == [{"a": 1, "b": 2, "note": "None"}]


def test_parameters_may_have_any_name(model):
    names = ("agent", "team", "run_context", "fc", "self", "function")
    seen = tool("odd", lambda arguments, context: ",".join(sorted(arguments)), text_schema(*names))
    turns = ({"tool_calls": [call("odd", **dict.fromkeys(names, "x"))]}, {"text": "ok"})
    [finished] = of(play(agent_spec(model("odd", *turns)), ports=LentPorts(seen)), "tool_call.finished")
    assert finished.result == ",".join(sorted(names))


def test_tools_of_one_turn_work_at_the_same_time(model):
    together = threading.Barrier(3, timeout=5)
    wait = tool("wait", lambda arguments, context: str(together.wait() >= 0))
    turns = ({"tool_calls": [call("wait")] * 3}, {"text": "ok"})
    events = play(agent_spec(model("together", *turns)), ports=LentPorts(wait))
    assert [event.result for event in of(events, "tool_call.finished")] == ["True"] * 3


def test_a_tool_can_save_a_file_and_write_to_the_log(model):
    def work(arguments, context):
        context.log("Half way", "debug")
        return context.save_artifact("a.txt", b"abc", "text/plain").uuid

    events = play(
        agent_spec(model("files", {"tool_calls": [call("work")]}, {"text": "ok"})), ports=LentPorts(tool("work", work))
    )
    [saved], [line] = of(events, "artifact.saved"), of(events, "log.written")
    assert (saved.artifact, saved.name, saved.media_type, saved.size_bytes) == ("file-1", "a.txt", "text/plain", 3)
    assert (line.level, line.message) == ("debug", "Half way")


def test_a_long_result_is_cut_for_the_model(fake, model):
    long = tool("long", lambda arguments, context: "ä" * 100_000)
    events = play(
        agent_spec(model("long", {"tool_calls": [call("long")]}, {"text": "ok"}), Limits(tokens=10**6)),
        ports=LentPorts(long),
    )
    [finished] = of(events, "tool_call.finished")
    assert len(finished.result.encode()) < 66_000
    assert "first 65,536 of the result's 200,000 bytes" in finished.result
    assert fake.bodies("long")[1]["messages"][-1]["content"] == finished.result


def test_an_answer_cut_at_the_longest_length_says_so(model):
    events = play(agent_spec(model("length", {"text": "Once upon", "finish_reason": "length"})))
    [line] = of(events, "log.written")
    assert (line.level, events[-1].type) == ("warn", "run.completed")


@pytest.mark.parametrize("kind", ["openai", "openai_like", "azure", "anthropic", "ollama"])
def test_every_kind_of_provider_answers_and_calls_tools(model, kind):
    turns = ({"text": "Let me add.", "tool_calls": [call(a=1, b=2)]}, {"text": "It is 3."})
    events = play(agent_spec(model(f"kind-{kind}", *turns, kind=kind)), ports=LentPorts(adder()))
    assert [event.result for event in of(events, "tool_call.finished")] == ["3"]
    assert events[-1].output == "It is 3."
    assert all(event.tokens_in for event in of(events, "model.called"))


def test_azure_is_asked_at_its_own_address(fake, model):
    play(agent_spec(model("deployed", {"text": "ok"}, kind="azure", api_version="2025-01-01")))
    request = next(r for r in fake.requests if r["body"]["model"] == "deployed")
    assert request["path"] == "/openai/deployments/deployed/chat/completions?api-version=2025-01-01"


def test_anthropic_reasoning_is_streamed(model):
    events = play(agent_spec(model("claude", {"reasoning": "Hm.", "text": "Yes."}, kind="anthropic")))
    assert of(events, "reasoning.completed")[0].text == "Hm."
    assert events[-1].output == "Yes."


def test_sixteen_runs_at_once_do_not_mix(model):
    spec = agent_spec(model("echo"))

    def one(number):
        return play(spec, f"Only {number}", run_id=f"run-{number}")[-1].output

    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(one, range(32))) == [f"Only {number}" for number in range(32)]


def test_a_slow_reader_neither_loses_text_nor_holds_up_others(model):
    slow = iter(start(agent_spec(model("deltas-200"))))
    first = next(item for item in slow if isinstance(item, Event))
    assert play(agent_spec(model("plain")))[-1].type == "run.completed"
    rest = events_of(slow)
    text = "".join(event.text for event in [first, *rest] if event.type == "content.added")
    assert text == rest[-1].output
    assert text.split()[-1] == "word0199"


def test_the_context_of_the_reader_reaches_the_tools(model):
    import contextvars

    department = contextvars.ContextVar("department")
    department.set("Marketing")
    seen = tool("who", lambda arguments, context: department.get())
    turns = ({"tool_calls": [call("who")]}, {"text": "ok"})
    [finished] = of(play(agent_spec(model("context", *turns)), ports=LentPorts(seen)), "tool_call.finished")
    assert finished.result == "Marketing"

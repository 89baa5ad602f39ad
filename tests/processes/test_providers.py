"""Providers that fail in every way, through the whole pipeline: each run ends with a sentence, and the worker goes on."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mindloom.engine.spec import AgentSpec
from runs import services
from runs.models import Reason, State
from runs.tasks import execute_run
from tests import factories
from tests.processes.harness import HELLO, STALLED, assert_whole, ended, types

pytestmark = pytest.mark.processes

CALLS_NOTHING = {"tool_calls": [{"name": "no_such_tool", "arguments": {}}]}
CALCULATES = {"tool_calls": [{"name": "calculate", "arguments": {"expression": "1 + 1"}}]}
CALCULATOR = {"key": "calculator", "config": {}}
TROUBLE = {
    "refused key": (
        [{"status": 401, "error": {"message": "Incorrect API key"}}],
        Reason.SYSTEM_ERROR,
        "refused the key",
    ),
    "too many requests": ([{"status": 429, "headers": {"retry-after": "0"}}], Reason.SYSTEM_ERROR, "too many"),
    "its own error": (
        [{"status": 500, "headers": {"retry-after": "0"}}],
        Reason.SYSTEM_ERROR,
        "a problem of its own (HTTP 500)",
    ),
    "half a stream": ([{"text": ["Hel", "lo"], "end": "half"}], Reason.SYSTEM_ERROR, "broke off"),
    "a dropped connection": ([{"text": ["Hel", "lo"], "end": "reset"}], Reason.SYSTEM_ERROR, "broke off"),
    "garbage": ([{"end": "garbage"}], Reason.SYSTEM_ERROR, "not a model's answer"),
    "a page": ([{"end": "html"}], Reason.SYSTEM_ERROR, "not a model's answer"),
    "an error inside the stream": ([{"text": ["Hm"], "end": "error"}], Reason.SYSTEM_ERROR, "ran out of memory"),
}


@pytest.mark.parametrize(("turns", "reason", "words"), TROUBLE.values(), ids=TROUBLE)
def test_a_run_whose_provider_fails_ends_with_a_sentence(stage, worker, turns, reason, words):
    run = ended(stage.start(*turns))

    assert (run.state, run.reason) == (State.FAILED, reason)
    assert words in run.reason_message
    assert run.reason_message.endswith((".", "…")) or "It said:" in run.reason_message


def test_a_provider_that_recovers_is_asked_again(stage, worker):
    run = ended(stage.start({"status": 500, "headers": {"retry-after": "0"}}, HELLO, by="request"))

    assert (run.state, run.output) == (State.COMPLETED, "Hello.")
    assert types(run).count("model.called") == 2


def test_a_provider_that_never_answers_ends_the_run_when_its_patience_ends(stage, worker):
    model = stage.start(STALLED)
    services.stop_run(actor=stage.cast.bob, run=model)
    spec = AgentSpec.from_json(model.spec)
    spec = replace(spec, model=replace(spec.model, timeout_seconds=1))
    run = factories.run(model.agent, stage.cast.bob, spec=spec.to_json())
    execute_run.delay(run.pk)
    ended(run)

    assert run.reason == Reason.TIMEOUT
    assert "did not answer: nothing came for 1 seconds" in run.reason_message


def test_a_run_that_takes_too_long_ends_at_its_limit(stage, worker):
    run = stage.start(STALLED, seconds=5)
    ended(run)

    assert run.reason == Reason.TIMEOUT
    assert "ended after 5 seconds" in run.reason_message


def test_a_tool_that_does_not_exist_is_said_to_the_model(stage, worker):
    run = ended(stage.start(CALLS_NOTHING, HELLO))

    assert run.state == State.COMPLETED
    assert "tool_call.failed" in types(run)


def test_a_model_that_calls_tools_for_ever_is_stopped_by_its_limit(stage, worker):
    run = ended(stage.start(CALCULATES, tools=[CALCULATOR], tool_calls=5, model_turns=50))

    assert run.reason == Reason.BUDGET
    assert "called tools 5 times" in run.reason_message
    assert types(run).count("tool_call.finished") == 5


def test_a_model_that_never_finishes_is_stopped_by_its_limit(stage, worker):
    run = ended(stage.start(CALCULATES, tools=[CALCULATOR], tool_calls=50, model_turns=4))

    assert run.reason == Reason.BUDGET
    assert "asked its model 4 times" in run.reason_message


def test_an_answer_beyond_the_limit_of_tokens_is_stopped(stage, worker):
    run = ended(
        stage.start(
            {"text": ["word " * 200] * 50, "usage": {"prompt_tokens": 10, "completion_tokens": 20_000}},
            CALCULATES,
            tokens=1000,
        )
    )

    assert run.reason == Reason.BUDGET
    assert_whole(run)


def test_many_runs_at_once_all_end(stage, worker):
    agent = stage.agent([HELLO])
    runs = [services.start_run(actor=stage.cast.bob, target=agent, text=f"Number {number}") for number in range(50)]

    assert {ended(run).state for run in runs} == {State.COMPLETED}

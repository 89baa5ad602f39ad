"""Stopping a run: terminal within two seconds, by the database's own clock, whatever the run waits for."""

from __future__ import annotations

import pytest

from runs import services
from runs.models import State
from tests.processes.harness import SLOW, STALLED, ended, silent_address, types, under_way, until

pytestmark = pytest.mark.processes


def seconds_to_stop(run) -> float:
    """From the request to the end, which are both written down."""
    return (run.finished_at - run.cancel_requested_at).total_seconds()


@pytest.mark.parametrize(
    "turn", [STALLED, SLOW, {"text": ["Hm", "."], "end": "stall"}], ids=["silent", "writing", "stalled"]
)
def test_a_run_whose_model_is_at_work_stops_within_two_seconds(worker, stage, turn):
    run = stage.start(turn)
    until(lambda: stage.fake.bodies(run.spec["model"]["model"]), "the model is asked")
    under_way(run, events=2)
    services.stop_run(actor=stage.cast.bob, run=run)
    ended(run)

    assert (run.state, run.reason_message) == (State.CANCELLED, "Stopped by Bob.")
    assert seconds_to_stop(run) <= 2


def test_a_run_whose_tool_is_silent_stops_within_two_seconds(worker, stage):
    with silent_address() as url:
        call = {"tool_calls": [{"name": "fetch_page", "arguments": {"url": url}}]}
        run = stage.start(call, tools=[{"key": "web_page", "config": {}}])
        until(lambda: "tool_call.started" in types(run), "the tool is called")
        services.stop_run(actor=stage.cast.bob, run=run)
        ended(run)

    assert run.state == State.CANCELLED
    assert seconds_to_stop(run) <= 2
    assert "tool_call.failed" in types(run)


def test_the_first_run_of_a_worker_stops_as_fast_as_the_others(house, stage):
    house.worker()
    run = stage.start(STALLED)
    under_way(run, events=2)
    services.stop_run(actor=stage.cast.bob, run=run)

    assert seconds_to_stop(ended(run)) <= 2

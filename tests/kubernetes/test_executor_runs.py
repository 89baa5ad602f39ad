"""Runs in pods of their own, from their start to their end: the same on the emulator and on a real cluster."""

from __future__ import annotations

import pytest

from runs import services
from runs.models import Reason, State
from tests.kubernetes.installation import PODS_SECONDS, words_of
from tests.kubernetes.programs import NAMESPACE
from tests.processes.harness import SLOW, STALLED, ended, types, under_way

pytestmark = pytest.mark.kubernetes

WRITES = {
    "tool_calls": [{"name": "save_artifact", "arguments": {"name": "plan", "content": "# Plan", "format": "markdown"}}]
}
LOOKS = {"tool_calls": [{"name": "calculate", "arguments": {"expression": "6 * 7"}}]}
HUGE = {"cpu": 60.0}
"""No node of a test has so many cores."""


def test_a_run_completes_in_its_pod_with_a_tool_and_a_file(pair):
    tools = [{"key": "calculator", "config": {}}, {"key": "artifact", "config": {}}]
    run = pair.start(LOOKS, WRITES, {"text": "It is 42."}, tools=tools)
    ended(run, PODS_SECONDS)

    assert (run.state, run.output) == (State.COMPLETED, "It is 42.")
    assert types(run).count("tool_call.finished") == 2
    assert [(one.name, one.size_bytes) for one in run.artifacts.all()] == [("plan.md", 6)]
    assert run.claimed_by.startswith(f"mindloom-run-{run.uuid}-1-")
    pair.nothing_left()


def test_a_run_fails_in_its_pod_as_in_a_worker(pair):
    run = ended(pair.start({"status": 401, "error": {"message": "Incorrect API key"}}), PODS_SECONDS)

    assert (run.state, run.reason) == (State.FAILED, Reason.SYSTEM_ERROR)
    assert "refused the key" in run.reason_message
    assert types(run).count("run.started") == 1
    pair.nothing_left()


def test_a_run_that_takes_too_long_ends_at_its_own_limit(pair):
    run = ended(pair.start(SLOW, seconds=5), PODS_SECONDS)

    assert (run.state, run.reason) == (State.FAILED, Reason.TIMEOUT)
    pair.nothing_left()


@pytest.mark.parametrize("turn", [SLOW, STALLED], ids=["writing", "silent"])
def test_a_run_that_is_under_way_is_stopped(pair, turn):
    run = pair.start(turn)
    under_way(run, events=4)
    services.stop_run(actor=pair.stage.cast.bob, run=run)
    ended(run)

    assert (run.state, run.reason_message) == (State.CANCELLED, "Stopped by Bob.")
    assert (run.finished_at - run.cancel_requested_at).total_seconds() <= 5
    pair.nothing_left()


def test_a_run_that_no_node_fits_says_so_and_is_stopped(pair):
    run = pair.start(SLOW, place=HUGE)
    sentence = pair.waits(run, Reason.NO_NODE)
    assert "60 CPU" in sentence
    assert run.state == State.QUEUED

    services.stop_run(actor=pair.stage.cast.bob, run=run)
    ended(run)
    assert run.state == State.CANCELLED
    assert "run.started" not in types(run)
    assert "No node fits" in words_of(run)
    pair.nothing_left()


def test_a_pod_has_what_the_agent_asks_for_and_no_more_rights_than_it_needs(pair):
    run = pair.start(SLOW, place={"cpu": 0.5, "memory_mb": 700})
    under_way(run, events=2)
    spec = pair.pod(run)["spec"]
    container = spec["containers"][0]

    assert container["resources"]["limits"] == {"cpu": "500m", "memory": "700Mi"}
    assert container["resources"]["requests"] == container["resources"]["limits"]
    assert spec["automountServiceAccountToken"] is False
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert container["securityContext"]["readOnlyRootFilesystem"]
    assert spec["securityContext"]["runAsNonRoot"]
    assert pair.jobs(run)[0]["metadata"]["namespace"] == NAMESPACE
    services.stop_run(actor=pair.stage.cast.bob, run=run)
    ended(run)

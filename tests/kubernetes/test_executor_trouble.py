"""A cluster whose API refuses, is busy, breaks off or is away: the run ends with the reason, or goes on as if nothing had been."""

from __future__ import annotations

import uuid

import pytest

from runs.models import Reason, State
from tests.kubernetes.installation import PODS_SECONDS
from tests.kubernetes.programs import NAMESPACE, until
from tests.processes.harness import HELLO, SLOW, ended, types, under_way

pytestmark = pytest.mark.kubernetes

SHORT = SLOW | {"text": [f"word{place} " for place in range(60)]}
"""A model that writes for six seconds."""


def test_a_refusal_ends_the_run(pair, emulator):
    emulator.fail("create", "jobs", 403)
    run = ended(pair.start(HELLO), PODS_SECONDS)

    assert (run.state, run.reason) == (State.FAILED, Reason.CLUSTER)
    assert "403" in run.reason_message
    assert not pair.jobs()


@pytest.mark.parametrize(
    ("resource", "status", "how"),
    [
        ("jobs", 429, {"times": 2, "retry_after": 1}),
        ("jobs", 500, {"times": 2}),
        ("jobs", 500, {"after": True}),
        ("secrets", 500, {"after": True}),
        ("secrets", 503, {"times": 6}),
    ],
    ids=["busy", "its own error", "job made, answer lost", "secret made, answer lost", "secret late"],
)
def test_an_answer_that_passes_holds_a_run_up_and_no_more(pair, emulator, resource, status, how):
    """A lost answer makes the next try meet 409, for what it made itself."""
    fault = emulator.fail("create", resource, status, **how)
    run = ended(pair.start(HELLO), PODS_SECONDS)

    assert run.state == State.COMPLETED
    assert fault.times == 0
    assert types(run).count("run.started") == 1
    pair.nothing_left()


def test_watches_that_break_off_and_expire_lose_nothing(pair, emulator):
    runs = [pair.start(SHORT), pair.start(SHORT)]
    for run in runs:
        under_way(run, events=4)
    assert emulator.cut_watches() >= 2
    emulator.evict(NAMESPACE, pair.pod(runs[0])["metadata"]["name"])
    until(lambda: emulator.counted()["watch pods"] >= 2, "it watches again")
    emulator.compact()
    emulator.cut_watches()
    for run in runs:
        ended(run, PODS_SECONDS)

    assert [run.state for run in runs] == [State.COMPLETED, State.COMPLETED]
    assert runs[0].restarts == 1
    pair.nothing_left()


def test_an_api_that_is_away_holds_up_what_waits_and_nothing_else(pair, emulator):
    running = under_way(pair.start(SHORT), events=4)
    emulator.stop()
    waiting = pair.start(HELLO)
    ended(running, PODS_SECONDS)
    assert running.state == State.COMPLETED
    sentence = pair.waits(waiting, Reason.CLUSTER)
    assert "does not answer" in sentence
    emulator.start()
    ended(waiting, PODS_SECONDS)

    assert waiting.state == State.COMPLETED
    pair.nothing_left()


def test_a_job_without_a_run_is_cleared_away(pair):
    """As after a backup of the database was put back."""
    stranger = str(uuid.uuid4())
    labels = {
        "app.kubernetes.io/name": "mindloom",
        "app.kubernetes.io/component": "run",
        "app.kubernetes.io/managed-by": "mindloom",
        "app.kubernetes.io/instance": "mindloom",
        "mindloom/run": stranger,
        "mindloom/attempt": "1",
    }
    container = {
        "name": "run",
        "image": "registry.example/mindloom:1",
        "args": ["execute_run", stranger, "--attempt", "1"],
    }
    template = {"metadata": {"labels": labels}, "spec": {"restartPolicy": "Never", "containers": [container]}}
    meta = {"name": f"mindloom-run-{stranger}-1", "labels": labels}
    pair.admin.batch.create_namespaced_job(NAMESPACE, {"metadata": meta, "spec": {"template": template}})
    until(lambda: not pair.jobs(), "the job is gone", PODS_SECONDS)
    pair.nothing_left()

"""Workers and schedulers that die while runs are in pods. No other scheduler may run beside these: it would take the watch over."""

from __future__ import annotations

import signal

import pytest

from runs.models import State
from tests.kubernetes.installation import PODS_SECONDS, words_of
from tests.kubernetes.programs import NAMESPACE, until
from tests.processes.harness import HELLO, SLOW, ended, types, under_way

pytestmark = pytest.mark.kubernetes


def test_a_worker_that_dies_before_it_made_the_job_is_replaced_by_the_watcher(cloud, emulator):
    worker, _ = cloud.worker(), cloud.scheduler()
    emulator.stop()
    run = cloud.start(HELLO)
    until(lambda: run.refresh_from_db() or run.submitted_at, "the worker has taken it", PODS_SECONDS)
    worker.kill()
    emulator.start()
    ended(run, PODS_SECONDS)

    assert run.state == State.COMPLETED
    assert types(run).count("run.started") == 1


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_another_scheduler_takes_the_watch_over(cloud, emulator, how):
    # Only a watcher notices in time, and what it is to notice is still there when the second one looks.
    patient = {"RUN_HEARTBEAT_STALE_SECONDS": 120, "KUBERNETES_KEEP_SECONDS": 120}
    cloud.worker(**patient)
    first = cloud.scheduler(**patient)
    run = under_way(cloud.start(SLOW | {"text": ["word "] * 60}), events=4)
    until(lambda: emulator.counted()["watch pods"] >= 1, "the first one watches")
    cloud.scheduler(**patient)
    seen = emulator.counted()["watch pods"]
    first.signal(how)
    first.ends()
    emulator.evict(NAMESPACE, cloud.pod(run)["metadata"]["name"])
    until(lambda: emulator.counted()["watch pods"] > seen, "the second one watches", PODS_SECONDS)
    ended(run, PODS_SECONDS)

    assert (run.state, run.restarts) == (State.COMPLETED, 1)
    assert "evicted" in words_of(run)

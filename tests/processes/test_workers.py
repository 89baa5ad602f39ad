"""Workers that die, hang, get a message twice, or are told to stop."""

from __future__ import annotations

import re
import signal
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from runs.models import Reason, State
from runs.tasks import execute_run
from tests.processes.harness import HELLO, SLOW, assert_whole, ended, types, under_way, until

pytestmark = pytest.mark.processes


def test_a_killed_worker_s_run_that_may_not_be_restarted_is_lost_within_45_seconds(house, stage):
    worker = house.worker()
    house.scheduler(RUN_RESTARTS=0)
    run = under_way(stage.start(SLOW))
    worker.kill()
    run.refresh_from_db()
    before = types(run)
    ended(run)

    assert (run.state, run.reason) == (State.FAILED, Reason.LOST)
    assert "vanished" in run.reason_message
    assert types(run) == [*before, "run.failed"]
    assert (run.finished_at - run.events.order_by("-seq")[1].at).total_seconds() < 45


def test_a_worker_that_was_frozen_and_given_up_writes_nothing_any_more_and_works_again(house, stage):
    worker = house.worker()
    house.scheduler(RUN_HEARTBEAT_STALE_SECONDS=5, RUN_RESTARTS=0)
    run = under_way(stage.start(SLOW))
    worker.signal(signal.SIGSTOP)
    ended(run)
    before = types(run)
    worker.signal(signal.SIGCONT)
    worker.says("is no longer this worker's")

    assert ended(stage.start(HELLO)).state == State.COMPLETED
    assert run.reason == Reason.LOST
    assert_whole(run)
    assert types(run) == before


def test_a_worker_that_starts_ends_the_runs_of_one_that_died(house, stage):
    dead = house.worker()
    run = under_way(stage.start(SLOW))
    dead.kill()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE runs_run SET heartbeat_at = now() - interval '1 minute' WHERE id = %s", [run.pk])
    house.worker(RUN_RESTARTS=0)

    assert ended(run).reason == Reason.LOST


def test_a_message_delivered_more_than_once_makes_one_run(house, stage):
    workers = [house.worker(), house.worker()]
    for copies in (1, 5):
        run = stage.start(SLOW | {"text": ["word "] * 10})
        with ThreadPoolExecutor(copies) as pool:
            list(pool.map(execute_run.delay, [run.pk] * copies))
        ended(run)

        assert types(run).count("run.started") == 1
        assert len(stage.fake.bodies(run.spec["model"]["model"])) == 1
    taken = re.compile(r"execute_run\[\S+ succeeded in")
    until(lambda: sum(len(taken.findall(worker.output)) for worker in workers) == 8, "all copies were taken")


def test_a_worker_told_to_stop_lets_a_short_run_finish(house, stage):
    worker = house.worker(WORKER_DRAIN_SECONDS=30)
    run = under_way(stage.start(SLOW | {"text": ["word "] * 20}))
    worker.signal(signal.SIGTERM)

    assert ended(run).state == State.COMPLETED
    assert worker.ends() == 0


def test_runs_that_wait_while_a_worker_stops_are_taken_by_the_next(house, stage):
    first = house.worker(WORKER_DRAIN_SECONDS=1, WORKER_CONCURRENCY=1)
    running, waiting = under_way(stage.start(SLOW | {"text": ["word "] * 40})), stage.start(HELLO)
    first.signal(signal.SIGTERM)
    first.ends()
    house.worker()
    house.scheduler()

    assert ended(running).state == State.COMPLETED
    assert ended(waiting).state == State.COMPLETED

"""Redis dies and comes back. PostgreSQL is the log, so nothing is lost."""

from __future__ import annotations

import pytest
from django.db import connection

from runs.models import State
from tests.processes.harness import HELLO, SLOW, ended, under_way, until

pytestmark = pytest.mark.processes


def test_a_run_completes_although_redis_dies_in_the_middle(house, stage, redis_process):
    worker = house.worker()
    run = under_way(stage.start(SLOW | {"text": ["word "] * 30}))
    redis_process.kill()
    ended(run)
    redis_process.start()

    assert (run.state, run.output) == (State.COMPLETED, "word " * 30)
    assert worker.popen.poll() is None


def test_a_worker_goes_on_when_redis_is_back(house, stage, redis_process):
    house.worker()
    ended(stage.start(HELLO))
    redis_process.kill()
    redis_process.start()

    assert ended(stage.start(HELLO)).state == State.COMPLETED


def test_a_run_started_while_redis_is_away_is_sent_when_it_is_back(house, stage, redis_process):
    house.worker()
    house.scheduler()
    redis_process.kill()
    run = stage.start(HELLO)
    assert run.state == State.QUEUED
    redis_process.start()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE runs_run SET sent_at = now() - interval '1 minute' WHERE id = %s", [run.pk])

    assert ended(run).state == State.COMPLETED


def test_a_live_reader_sees_everything_while_redis_is_away(house, stage, redis_process, live):
    house.worker()
    run = under_way(stage.start(SLOW | {"text": ["word "] * 40}))
    reader = live(run)
    until(lambda: reader.seen, "the reader sees the first lines")
    redis_process.kill()
    ended(run)
    reader.reads_to_the_end()

    assert reader.seen == list(range(1, run.last_seq + 1))

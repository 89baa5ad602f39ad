"""The scheduler: one does the work, another takes over, and lost messages are found."""

from __future__ import annotations

import signal
from datetime import UTC, datetime, timedelta

import pytest
import redis
from django.conf import settings
from django.core.cache import cache
from django.db import connection

from accounts.models import Department
from mindloom.management.commands.scheduler import HANGS_AFTER, LOCK, SIGN_OF_LIFE
from mindloom.wall.lease import Lease
from runs.models import Reason, RetentionReport, Run, State
from tests import factories
from tests.processes.harness import HELLO, ended, types, until

pytestmark = pytest.mark.processes


def holder() -> int | None:
    """The database session of the scheduler that does the work."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objid = %s AND granted", [LOCK])
        row = cursor.fetchone()
    return row and row[0]


def forgotten(stage) -> Run:
    """A run whose worker has been silent for a minute."""
    agent = stage.agent([HELLO])
    run = factories.run(agent, stage.cast.bob, state=State.RUNNING, fence=1, claimed_by="gone:1")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE runs_run SET heartbeat_at = now() - interval '1 minute' WHERE id = %s", [run.pk])
    return run


def test_a_queued_run_whose_message_was_lost_is_sent_again(house, stage):
    run = stage.start(HELLO)
    redis.Redis.from_url(settings.REDIS_URL).delete(
        f"{settings.REDIS_PREFIX}:celery:{settings.CELERY_TASK_DEFAULT_QUEUE}"
    )
    with connection.cursor() as cursor:
        cursor.execute("UPDATE runs_run SET sent_at = now() - interval '1 minute' WHERE id = %s", [run.pk])
    house.worker()
    house.scheduler()

    assert ended(run).state == State.COMPLETED
    assert types(run).count("run.started") == 1


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGSTOP], ids=["is killed", "hangs"])
def test_when_the_scheduler_at_work_dies_the_other_takes_over(house, stage, end):
    first = house.scheduler()
    at_work = until(holder, "a scheduler is at work")
    cache.delete(SIGN_OF_LIFE)
    second = house.scheduler(RUN_RESTARTS=0)
    until(lambda: cache.get(SIGN_OF_LIFE), "the scheduler has ticked")
    assert holder() == at_work
    first.signal(end)
    until(lambda: holder() not in {None, at_work}, "the second has taken over")

    assert ended(forgotten(stage)).reason == Reason.LOST
    assert second.popen.poll() is None


def test_after_a_tick_that_failed_no_session_of_the_pool_keeps_the_lock(transactional_db):
    lease = Lease(LOCK, HANGS_AFTER)
    assert lease.is_ours()
    assert holder()
    lease.let_go()

    until(lambda: holder() is None, "the lock is free")


def test_a_scheduler_told_to_stop_stops(house, stage):
    scheduler = house.scheduler()
    until(holder, "the scheduler is at work")
    scheduler.signal(signal.SIGTERM)

    assert scheduler.ends() == 0
    until(lambda: holder() is None, "the lock is free")


def test_a_scheduler_that_was_killed_in_the_night_leaves_the_rest_to_the_next(house, stage):
    agent, department = stage.agent([HELLO]), stage.cast.marketing
    Department.objects.filter(pk=department.pk).update(keep_runs_days=1)
    ends = {"state": State.COMPLETED, "finished_at": datetime.now(UTC) - timedelta(days=9)}
    old = [factories.run(agent, stage.cast.bob, **ends).pk for _ in range(300)]
    young = factories.run(agent, stage.cast.bob, **ends | {"finished_at": datetime.now(UTC)})
    first = house.scheduler()
    until(lambda: Run.objects.filter(pk__in=old).count() < len(old), "the clearing has begun")
    first.signal(signal.SIGKILL)
    house.scheduler()
    until(lambda: RetentionReport.objects.filter(department=department).exclude(finished_at=None), "the night is over")

    assert not Run.objects.filter(pk__in=old).exists()
    assert Run.objects.filter(pk=young.pk).exists()
    assert RetentionReport.objects.get(department=department).runs in range(len(old) - 20, len(old) + 1)

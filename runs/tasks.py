"""Celery's entry point. A message only wakes a worker up: what is to be done, and in which order, PostgreSQL knows."""

from __future__ import annotations

import logging
import time

import redis
from celery import shared_task
from celery.exceptions import Reject
from kombu.exceptions import OperationalError

from runs import worker

logger = logging.getLogger(__name__)

GIVEN_BACK_SECONDS = 0.2
"""A worker that stops may get the message that it gave back again; so it does not do so a thousand times."""


@shared_task(name="runs.tasks.execute_run")
def execute_run(run_id: int = 0) -> None:
    """Carry out runs, each time the one whose turn it is, until none may start. The id only says which run is new."""
    if worker.slots.is_closed:
        time.sleep(GIVEN_BACK_SECONDS)
        raise Reject("This worker stops; another one takes the message.", requeue=True)
    if worker.work():
        wake()


def wake(run_id: int = 0) -> None:
    """Wake a worker up. When Redis is away nothing happens; the scheduler does it later."""
    try:
        # Once more at most: a connection that Redis has dropped is noticed by the first try.
        execute_run.apply_async((run_id,), retry_policy={"max_retries": 1, "interval_start": 0})
    except (OperationalError, redis.RedisError, OSError) as error:
        logger.warning("Run %s waits until Redis is back: %s", run_id or "that is next", error)

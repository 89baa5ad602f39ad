"""Celery's entry point. A message only wakes a worker up: which files wait, PostgreSQL knows."""

from __future__ import annotations

import logging

import redis
from celery import shared_task
from kombu.exceptions import OperationalError

from buckets import worker

logger = logging.getLogger(__name__)


@shared_task(name="buckets.tasks.index_documents")
def index_documents() -> None:
    """Have threads of this process work on files until none waits; the place of a run is not held for that."""
    worker.begin()


def wake() -> None:
    """Wake a worker up. When Redis is away nothing happens; the scheduler does it later."""
    try:
        index_documents.apply_async(retry_policy={"max_retries": 1, "interval_start": 0})
    except (OperationalError, redis.RedisError, OSError) as error:
        logger.warning("Files wait to be read until Redis is back: %s", error)

"""Tells the workers of a run."""

from __future__ import annotations

import logging

import redis
from django.conf import settings
from kombu.exceptions import OperationalError

from runs.tasks import execute_run

logger = logging.getLogger(__name__)


def send(run_id: int) -> None:
    """Tell the workers. When Redis is away the run stays queued, and the scheduler tells them later."""
    try:
        # Once more at most: a connection that Redis has dropped is noticed by the first try.
        execute_run.apply_async((run_id,), retry_policy={"max_retries": 1, "interval_start": 0})
    except (OperationalError, redis.RedisError, OSError) as error:
        logger.warning("Run %s waits until Redis is back: %s", run_id, error)


def messages_waiting() -> bool:
    """Whether runs wait because the workers are busy, rather than because their messages are gone."""
    client = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=5)
    try:
        return bool(client.llen(f"{settings.REDIS_PREFIX}:celery:{settings.CELERY_TASK_DEFAULT_QUEUE}"))
    except redis.RedisError:
        return True
    finally:
        client.close()

"""Tells the workers of a run."""

from __future__ import annotations

from functools import cache
from typing import Any

import redis
from django.conf import settings

from runs.tasks import wake

ENOUGH = 256
"""So many messages wake every slot there may be; what is queued beyond is taken by those who are awake."""


def send(run_id: int) -> None:
    """Tell the workers. When Redis is away the run stays queued, and the scheduler tells them later."""
    if (messages_waiting() or 0) < ENOUGH:
        wake(run_id)


def messages_waiting() -> int | None:
    """How many messages no worker has taken yet, because all are busy; None while Redis is away."""
    try:
        return int(_client().llen(f"{settings.REDIS_PREFIX}:celery:{settings.CELERY_TASK_DEFAULT_QUEUE}"))
    except redis.RedisError:
        return None


@cache
def _client() -> Any:
    return redis.Redis.from_url(settings.REDIS_URL, socket_timeout=5, socket_connect_timeout=5)

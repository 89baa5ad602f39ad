"""What the processes tell each other through Redis. It is a help and no truth: when Redis is away, nothing is known."""

from __future__ import annotations

import logging
import threading
import time
from functools import cache
from typing import Any

import redis
from django.conf import settings

logger = logging.getLogger(__name__)

PATIENCE_SECONDS = 1.0
AWAY_SECONDS = 5.0
"""How long Redis is left alone once it did not answer: whoever asks must not wait for it again and again."""


class Unknown(Exception):
    """Redis does not answer."""


class Shared:
    """Redis for questions on which nothing depends."""

    def __init__(self) -> None:
        self._away_until = 0.0
        self._lock = threading.Lock()

    def script(self, text: str, key: str, *arguments: object) -> Any:
        """What a Lua script answers, for one key below our prefix. Raises `Unknown`."""
        if time.monotonic() < self._away_until:
            raise Unknown
        try:
            return _client().eval(text, 1, f"{settings.REDIS_PREFIX}:{key}", *arguments)
        except redis.RedisError as error:
            with self._lock:
                self._away_until = time.monotonic() + AWAY_SECONDS
            logger.debug("Redis is left alone for a while: %s", error)
            raise Unknown from error


@cache
def _client() -> Any:
    return redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=PATIENCE_SECONDS, socket_connect_timeout=PATIENCE_SECONDS
    )


shared = Shared()

"""The worker's sign of life: without one for a while, people are told that no worker is there."""

from __future__ import annotations

import threading

from django.conf import settings

from integrations.providers.limited import NOW
from integrations.providers.shared import Unknown, shared
from runs.queries.workers import KEY
from runs.worker.claim import worker_name

EVERY_SECONDS = 5.0
REMEMBERED_MS = 7 * 24 * 3600 * 1000

_BEAT = f"""{NOW}
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - tonumber(ARGV[2]))
return 1
"""


def show_life() -> None:
    """Give signs of life from now on, from a thread of its own, until the process ends."""
    threading.Thread(target=_beat_for_ever, name="life", daemon=True).start()


def beat() -> None:
    """Give one sign."""
    try:
        shared.script(_BEAT, KEY, f"{worker_name()}|{settings.WORKER_CONCURRENCY}", REMEMBERED_MS)
    except Unknown:
        return


def _beat_for_ever() -> None:
    while True:
        beat()
        threading.Event().wait(EVERY_SECONDS)

"""Which providers want to be left alone for a while, as any worker has heard it."""

from __future__ import annotations

import time

from integrations.providers.shared import Unknown, shared

KEY = "limited-providers"
FRESH_SECONDS = 0.2
"""An answer of Redis is used again for so long: every claim and every request to a model asks."""
NOW = "local t = redis.call('TIME') local now = t[1] * 1000 + math.floor(t[2] / 1000) "
"""Redis' clock in ms, which is the same for all workers."""

_LIMITED = f"""{NOW}
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
local found = redis.call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES')
for place = 2, #found, 2 do found[place] = math.ceil(found[place] - now) end
return found
"""


class _Known:
    """What Redis said last, and when."""

    until: dict[int, float]

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        self.until = {}
        self.asked_at = float("-inf")


_known = _Known()


def limited() -> dict[int, float]:
    """Seconds for which each provider (`ModelSpec.provider_key`) is not to be asked; none when Redis is away."""
    now = time.monotonic()
    if now - _known.asked_at >= FRESH_SECONDS:
        try:
            found = shared.script(_LIMITED, KEY)
        except Unknown:
            found = []
        _known.until = {int(key): now + int(ms) / 1000 for key, ms in zip(found[::2], found[1::2], strict=True)}
        _known.asked_at = now
    return {key: until - now for key, until in _known.until.items() if until > now}


def look_again() -> None:
    """The next `limited` asks Redis."""
    _known.forget()

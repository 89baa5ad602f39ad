"""Keeps what a provider asked for: that nobody asks it for a while, whichever worker it was that heard it."""

from __future__ import annotations

import math
import random

from integrations.providers.limited import KEY, NOW, limited, look_again
from integrations.providers.shared import Unknown, shared

LONGEST_SECONDS = 3600.0
"""A provider that asks for more is asked again after so long all the same."""
SPREAD_SECONDS = 1.0
"""Those who waited come back one after the other within so long, and not all in the same moment."""

_HOLD = f"""{NOW}
local till = now + tonumber(ARGV[2])
if till > tonumber(redis.call('ZSCORE', KEYS[1], ARGV[1]) or 0) then
    redis.call('ZADD', KEYS[1], till, ARGV[1])
    if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[2]) then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
end
return 1
"""


def wait_for(provider: int) -> float:
    """Seconds until the provider may be asked, a little more for some than for others; 0 for now."""
    seconds = limited().get(provider, 0.0)
    spread = random.random() * min(SPREAD_SECONDS, seconds / 10)  # noqa: S311 -- nothing depends on it
    return seconds + spread if seconds else 0.0


def hold(provider: int, seconds: float) -> None:
    """Nobody asks this provider for so many seconds. When Redis is away, only the run that heard it waits."""
    if not provider or not seconds > 0:
        return
    try:
        shared.script(_HOLD, KEY, provider, math.ceil(min(seconds, LONGEST_SECONDS) * 1000))
    except Unknown:
        return
    look_again()

"""Which workers live."""

from __future__ import annotations

from dataclasses import dataclass

from integrations.providers.limited import NOW
from integrations.providers.shared import Unknown, shared

KEY = "workers"
SILENT_SECONDS = 15
"""A worker that gave no sign of life for so long counts as gone; it gives one every five seconds."""

_SEEN = f"""{NOW}
local found = redis.call('ZREVRANGE', KEYS[1], 0, -1, 'WITHSCORES')
for place = 2, #found, 2 do found[place] = math.floor((now - found[place]) / 1000) end
return found
"""


@dataclass(frozen=True)
class Workers:
    """The workers that live: how many, and how many runs they carry at once. `silence` is the last sign's age in seconds."""

    alive: int
    slots: int
    silence: int | None


def workers() -> Workers | None:
    """What is known of the workers; None while Redis is away."""
    try:
        found = shared.script(_SEEN, KEY)
    except Unknown:
        return None
    ages = [(name.decode(), int(age)) for name, age in zip(found[::2], found[1::2], strict=True)]
    alive = [int(name.rpartition("|")[2]) for name, age in ages if age <= SILENT_SECONDS]
    return Workers(alive=len(alive), slots=sum(alive), silence=ages[0][1] if ages else None)

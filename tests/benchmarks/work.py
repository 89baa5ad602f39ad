"""The work that all contenders do, and how its rate is counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

SYSTEM = "Work on what you are given.\n\nUse Markdown to format your answer."
TEXT = "Write two hundred words about looms."
MODEL = "deltas-200"
AT_ONCE = 16
WARM_UP = 48
"""Runs at the beginning that are not counted: three rounds of imports, connections and caches."""


@dataclass(frozen=True)
class Rate:
    """What one contender did in one round."""

    per_second: float
    cpu_ms: float = 0.0
    """Processor time of the contender's process for each run; 0 when it was not taken."""


def rate(ended: Sequence[float], warm_up: int = WARM_UP) -> float:
    """Runs a second, from the end of the last warm-up run to the end of the last run."""
    times = sorted(ended)
    return (len(times) - warm_up) / (times[-1] - times[warm_up - 1])

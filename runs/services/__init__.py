"""Everything that can be done with runs, with what they ask, and with conversations."""

from __future__ import annotations

from runs.services.control import stop_run, sweep
from runs.services.deciding import LONGEST_ANSWER, decide
from runs.services.starting import Target, repeat_run, start_run

__all__ = ["LONGEST_ANSWER", "Target", "decide", "repeat_run", "start_run", "stop_run", "sweep"]

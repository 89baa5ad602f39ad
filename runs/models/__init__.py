"""Runs, their events and their files."""

from runs.models.append import Guard, append, storable
from runs.models.event import RunArtifact, RunEvent
from runs.models.run import LIVE_STATES, TERMINAL_STATES, Reason, Run, State, Trigger

__all__ = [
    "LIVE_STATES",
    "TERMINAL_STATES",
    "Guard",
    "Reason",
    "Run",
    "RunArtifact",
    "RunEvent",
    "State",
    "Trigger",
    "append",
    "storable",
]

"""Runs, their events, their files, what they ask and what they remember."""

from runs.models.append import Guard, append, storable
from runs.models.approval import Approval
from runs.models.conversation import Conversation
from runs.models.event import PICTURES, RunArtifact, RunEvent
from runs.models.memory import JournalEntry, PersonMemory
from runs.models.retention import RetentionReport, StrayFile
from runs.models.run import (
    LIVE_STATES,
    LONG_COLUMNS,
    NEWEST_FIRST,
    TERMINAL_STATES,
    Executor,
    Priority,
    Reason,
    Run,
    State,
    Trigger,
)
from runs.models.usage import Totals, UsageRecord

__all__ = [
    "LIVE_STATES",
    "LONG_COLUMNS",
    "NEWEST_FIRST",
    "PICTURES",
    "TERMINAL_STATES",
    "Approval",
    "Conversation",
    "Executor",
    "Guard",
    "JournalEntry",
    "PersonMemory",
    "Priority",
    "Reason",
    "RetentionReport",
    "Run",
    "RunArtifact",
    "RunEvent",
    "State",
    "StrayFile",
    "Totals",
    "Trigger",
    "UsageRecord",
    "append",
    "storable",
]

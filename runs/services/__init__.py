"""Everything that can be done with runs, with what they ask, and with conversations."""

from __future__ import annotations

from runs.services.control import note_download, note_export, stop_run, sweep
from runs.services.conversing import (
    LARGEST_FILE,
    Attachment,
    delete_conversation,
    edit_and_resend,
    forget_person,
    rename_conversation,
    retry_turn,
    say,
    start_conversation,
)
from runs.services.deciding import LONGEST_ANSWER, decide
from runs.services.many import MOST_AT_ONCE, Outcome, repeat_runs, stop_runs
from runs.services.removing import delete_run, pin_run, unpin_run
from runs.services.retention import Days, WouldGo, chosen_days, clear, days_of, would_go
from runs.services.starting import Target, check_may_run, check_run, kind_of, repeat_run, start_run

__all__ = [
    "LARGEST_FILE",
    "LONGEST_ANSWER",
    "MOST_AT_ONCE",
    "Attachment",
    "Days",
    "Outcome",
    "Target",
    "WouldGo",
    "check_may_run",
    "check_run",
    "chosen_days",
    "clear",
    "days_of",
    "decide",
    "delete_conversation",
    "delete_run",
    "edit_and_resend",
    "forget_person",
    "kind_of",
    "note_download",
    "note_export",
    "pin_run",
    "rename_conversation",
    "repeat_run",
    "repeat_runs",
    "retry_turn",
    "say",
    "start_conversation",
    "start_run",
    "stop_run",
    "stop_runs",
    "sweep",
    "unpin_run",
    "would_go",
]

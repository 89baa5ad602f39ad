"""What is going on in a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runs.models import State

if TYPE_CHECKING:
    from runs.models import Run

_CALLS = ("tool_call.started", "tool_call.finished", "tool_call.failed")


def acting_tools(run: Run) -> list[str]:
    """Tools that change or send something, or execute it, and that have begun and not answered: stopping cannot take them back."""
    if run.state != State.RUNNING:
        return []
    open_calls: dict[tuple[str, ...], str] = {}
    for event in run.events.filter(type__in=_CALLS).order_by("seq"):
        call = (*event.source, event.data["call_id"])
        if event.type != "tool_call.started":
            open_calls.pop(call, None)
        elif event.data["effect"] != "reads":
            open_calls[call] = event.data["tool"]
    return list(dict.fromkeys(open_calls.values()))

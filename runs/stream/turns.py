"""A conversation's runs as turns: what was asked, what was attached, what was done, what was answered."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from runs.models import RunEvent
from runs.stream.lines import lines_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runs.models import Run

STEPS = ("tool_call.finished", "tool_call.failed", "knowledge.retrieved", "artifact.saved", "member.finished")
MOST_STEPS = 400
"""Of all turns of a page together."""
_FILE = re.compile(r"\n*^----- File: (.+) -----\n(.*?)\n----- End of \1 -----$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Turn:
    """One question and what became of it. `steps` are lines of the log; `files` are names and contents."""

    run: Run
    asked: str
    files: list[tuple[str, str]] = field(default_factory=list)
    steps: list[dict[str, Any]] = field(default_factory=list)


def turns_of(runs: Sequence[Run]) -> list[Turn]:
    """The runs as turns, in their order, with one query for all their steps."""
    steps: dict[int, list[RunEvent]] = {run.pk: [] for run in runs}
    found = RunEvent.objects.filter(run__in=list(steps), type__in=STEPS).order_by("-run_id", "seq")[:MOST_STEPS]
    for event in found:
        steps[event.run_id].append(event)
    return [
        Turn(
            run=run,
            asked=_FILE.sub("", run.input).strip(),
            files=_FILE.findall(run.input),
            steps=lines_of(steps[run.pk]),
        )
        for run in runs
    ]

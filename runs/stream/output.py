"""What a run answers, while it is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mindloom import wall
from runs.models import RunEvent
from runs.stream.progress import known_of

if TYPE_CHECKING:
    from runs.models import Run

MOST_TURNS = 3
"""Requests to the model that are looked through, the latest first, for one that has written something."""


def draft_of(run: Run) -> str:
    """The answer as far as it is written: that of the agent itself, or of the team's leader. Members' texts are in the log."""
    known = known_of(run, run.last_seq)
    turns = [step for step in known.steps.all.values() if step.kind == "model" and len(step.source) <= 1]
    for turn in turns[: -MOST_TURNS - 1 : -1]:
        texts: dict[int, str] = {}
        with wall.tenant([run.department_id]):
            rows = RunEvent.objects.filter(run_id=run.pk, type__startswith="content.", seq__lte=turn.last)
            for row in rows.after(turn.first - 1):
                if tuple(row.source) == turn.source:
                    block, text = row.data["block"], row.data["text"]
                    texts[block] = texts.get(block, "") + text if row.type == "content.added" else text
        if texts:
            return "\n\n".join(texts.values())
    return ""

"""What a run answers: while it is written, and with the documents that it rests on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mindloom import wall
from runs.models import RunEvent
from runs.stream.progress import known_of

if TYPE_CHECKING:
    from runs.models import Run

MOST_TURNS = 3
"""Requests to the model that are looked through, the latest first, for one that has written something."""
MOST_PASSAGES = 60


@dataclass(frozen=True)
class Passage:
    """A piece of a document that was looked up. `number` is what the answer cites it by, 0 when that would be ambiguous."""

    number: int
    document: str
    location: str
    text: str


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


def passages_of(run: Run) -> list[Passage]:
    """What was looked up in documents, in order. Each look-up counts its passages from 1, so only those of a single one can be cited."""
    with wall.tenant([run.department_id]):
        events = RunEvent.objects.filter(run_id=run.pk, type="knowledge.retrieved").order_by("seq")
        found = [data["passages"] for data in events.values_list("data", flat=True) if data.get("passages")]
    passages = [one for part in found for one in part][:MOST_PASSAGES]
    return [
        Passage(
            number=int(one.get("number") or 0) if len(found) == 1 else 0,
            document=str(one.get("document", "")),
            location=str(one.get("location", "")),
            text=str(one.get("text", "")),
        )
        for one in passages
    ]

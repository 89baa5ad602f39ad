"""The steps of runs, kept while somebody looks: what is new in a log is folded onto what is known of it already."""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict
from dataclasses import dataclass, field, replace
from datetime import datetime
from threading import Lock
from typing import TYPE_CHECKING, Any

from django.contrib.postgres.fields import ArrayField
from django.db.models import CharField, F, Func, JSONField, Value

from mindloom import wall
from mindloom.web.templatetags.ui import compact, cost, duration
from runs.models import RunEvent, UsageRecord
from runs.stream.steps import Steps, trace

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from decimal import Decimal
    from uuid import UUID

    from runs.models import Run
    from runs.stream.lines import Line
    from runs.stream.steps import Seen, Step

MOST_KNOWN = 64
"""Runs whose steps are kept in a process."""
_LARGE = ["text", "result", "arguments", "passages", "output", "structured", "task", "warnings", "note"]
"""What steps do not look at; it would have to be read all the same."""


@dataclass(frozen=True)
class Row:
    """An event without its large parts."""

    seq: int
    type: str
    at: datetime
    source: Sequence[str]
    data: dict[str, Any]


@dataclass(frozen=True)
class Known:
    """The steps of a run up to event `last`. Event `starts[i]` and those that follow it belong to step `keys[i]`."""

    steps: Steps = field(default_factory=Steps)
    starts: tuple[int, ...] = ()
    keys: tuple[str, ...] = ()
    last: int = 0

    def key_of(self, seq: int) -> str:
        """The step that an event belongs to."""
        place = bisect_right(self.starts, seq)
        return self.keys[place - 1] if place else ""

    def extended(self, rows: Sequence[Seen], costs: dict[int, Decimal | None]) -> Known:
        """With these events, which follow those that are known."""
        steps, found = trace(self.steps, rows, costs)
        starts, keys = list(self.starts), list(self.keys)
        for row, key in zip(rows, found, strict=True):
            if not keys or keys[-1] != key:
                starts.append(row.seq)
                keys.append(key)
        return replace(self, steps=steps, starts=tuple(starts), keys=tuple(keys), last=rows[-1].seq)

    def touched(self, rows: Sequence[Seen]) -> list[Step]:
        """The steps that these events changed, and those around them."""
        found = {step.key for key in {self.key_of(row.seq) for row in rows} for step in self.steps.path(key)}
        # A run that ends, or is taken up again, ends what was under way.
        cut = {row.at for row in rows if row.type.startswith("run.")}
        return [step for key, step in self.steps.all.items() if key in found or (cut and step.ended in cut)]

    def marked(self, lines: list[Line]) -> list[Line]:
        """The lines with the keys of their steps."""
        return [line | {"step": self.key_of(line["n"])} for line in lines]


_known: OrderedDict[UUID, Known] = OrderedDict()
_lock = Lock()


def known_now(run: Run) -> Known:
    """What is known of the run's steps without asking the database."""
    with _lock:
        return _known.get(run.uuid, Known())


def known_of(run: Run, upto: int) -> Known:
    """The steps of the run at least up to event `upto`, as far as it is written. Whoever asks may see the run."""
    known = known_now(run)
    while known.last < upto:
        with wall.tenant([run.department_id]):
            rows = _lean(run, known.last)
            costs = costs_of(run, rows)
        if not rows:
            return known
        known = known.extended(rows, costs)
        keep(run, known)
    return known


def keep(run: Run, known: Known) -> None:
    """Remember what is known, unless more is."""
    with _lock:
        if _known.get(run.uuid, known).last <= known.last:
            _known[run.uuid] = known
        _known.move_to_end(run.uuid)
        while len(_known) > MOST_KNOWN:
            _known.popitem(last=False)


def costs_of(run: Run, rows: Iterable[Seen]) -> dict[int, Decimal | None]:
    """What the requests to models among these events cost; None where nobody knows."""
    seqs = [row.seq for row in rows if row.type == "model.called"]
    if not seqs:
        return {}
    found = UsageRecord.objects.filter(run_id=run.pk, seq__gte=seqs[0], seq__lte=seqs[-1])
    return dict(found.values_list("seq", "cost"))


def _lean(run: Run, after: int) -> list[Row]:
    small = Func(F("data"), Value(_LARGE, ArrayField(CharField())), template="(%(expressions)s)", arg_joiner=" - ", output_field=JSONField())  # fmt: skip
    found = RunEvent.objects.filter(run_id=run.pk).after(after).annotate(small=small)
    return [Row(*values) for values in found.values_list("seq", "type", "at", "source", "small")[:20_000]]


def shown(steps: Steps, step: Step) -> dict[str, Any]:
    """A step as the log shows it on its fold."""
    return {
        "key": step.key,
        "parent": step.parent,
        "alike": steps.alike(step.key),
        "kind": step.kind,
        "label": step.label,
        "state": step.state,
        "first": step.first,
        "note": figures(step),
    }


def figures(step: Step) -> str:
    """What a step took: time, tokens, money."""
    parts = {"failed": ["failed"], "cancelled": ["broken off"], "waiting": ["waiting"]}.get(step.state, [])
    took = step.duration_ms()
    parts = [*parts, duration(took)] if took is not None else (parts or ["running"])
    if step.model_calls:
        parts += [f"{compact(step.tokens_in)} in", f"{compact(step.tokens_out)} out", cost(step)]
    return " · ".join(parts)

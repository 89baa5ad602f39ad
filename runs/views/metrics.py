"""What a run used: time, tokens, money, by whom."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.contrib.auth.decorators import login_required
from django.db.models import Avg
from django.utils import timezone
from django.views.decorators.http import require_safe

from mindloom import wall
from mindloom.web.http import render_page
from runs.models.usage import SUMS, totals_of
from runs.views.common import PARTS, context_of, visible

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from uuid import UUID

    from django.http import HttpResponse

    from accounts.middleware import Request
    from runs.models import Run

MOST_CALLS = 200
_TIMED = ("run.started", "run.waiting", "run.resumed", "run.completed", "run.failed", "run.cancelled")
_TOOLS = ("tool_call.started", "tool_call.finished", "tool_call.failed")


@dataclass
class _Tool:
    """What a tool did in a run."""

    name: str
    calls: int = 0
    failures: int = 0
    duration_ms: int = 0


@dataclass(frozen=True)
class Spell:
    """Some time of a run and what it was spent on; `start` and `share` are per mille of the whole."""

    kind: str
    label: str
    duration_ms: int
    start: int
    share: int


@dataclass
class Times:
    """Where a run's time went, in milliseconds. `spells` follow each other."""

    queued_ms: int = 0
    waited_ms: int = 0
    worked_ms: int = 0
    spells: list[Spell] = field(default_factory=list)


@login_required
@require_safe
def metrics(request: Request, uuid: UUID) -> HttpResponse:
    """The figures of one run. Every total is the sum of the rows below it."""
    run = visible(request, uuid)
    with wall.tenant([run.department_id]):
        records = run.usage.all()
        calls = list(records.order_by("seq")[: MOST_CALLS + 1])
        context = context_of(request, run, "metrics") | {
            "times": times_of(run),
            "totals": records.totals(),
            "parts": _parts(records),
            "calls": calls[:MOST_CALLS],
            "has_more": len(calls) > MOST_CALLS,
            "tools": tools_of(run),
        }
    return render_page(request, "runs/metrics.html", context, partials=PARTS)


def _parts(records: Any) -> list[dict[str, Any]]:
    """Sums by agent and model, the largest first, with their share of all tokens in per cent."""
    rows = records.values("source", "provider", "model").annotate(**SUMS, average=Avg("duration_ms"))
    parts = [
        {
            "who": row["source"][-1] if row["source"] else "",
            "provider": row["provider"],
            "model": row["model"],
            "average_ms": row["average"],
            "totals": totals_of(row),
        }
        for row in rows
    ]
    for part in parts:
        part["tokens"] = part["totals"].tokens_in + part["totals"].tokens_out
    whole = sum(part["tokens"] for part in parts) or 1
    for part in parts:
        part["share"] = round(100 * part["tokens"] / whole)
    return sorted(parts, key=lambda part: -part["tokens"])


def tools_of(run: Run) -> list[_Tool]:
    """What each tool did, the busiest first."""
    found: dict[str, _Tool] = {}
    events = run.events.filter(type__in=_TOOLS).order_by("seq")
    for kind, data in events.values_list("type", "data"):
        tool = found.setdefault(data["tool"], _Tool(data["tool"]))
        tool.calls += kind == "tool_call.started"
        tool.failures += kind == "tool_call.failed"
        tool.duration_ms += data.get("duration_ms") or 0
    return sorted(found.values(), key=lambda tool: (-tool.calls, tool.name))


def times_of(run: Run) -> Times:
    """From the events that change a run's state; until now for one that has not ended."""
    with wall.tenant([run.department_id]):
        events = run.events.filter(type__in=_TIMED).order_by("seq")
        return _times(run.queued_at, events.values_list("type", "at"), run.finished_at)


_AFTER = {"run.started": "worked", "run.waiting": "waited", "run.resumed": "queued"}
_LABELS = {"queued": "In the queue", "waited": "Waiting for people", "worked": "At work"}


def _times(queued_at: datetime, changes: Iterable[tuple[str, datetime]], finished_at: datetime | None) -> Times:
    phases: list[tuple[str, datetime]] = [("queued", queued_at)]
    end = finished_at or timezone.now()
    for kind, at in changes:
        if kind in _AFTER:
            phases.append((_AFTER[kind], at))
    spent: dict[str, int] = defaultdict(int)
    found: list[tuple[str, int]] = []
    for (kind, begin), (_, until) in zip(phases, [*phases[1:], ("", end)], strict=True):
        took = max(0, int((until - begin).total_seconds() * 1000))
        spent[kind] += took
        found.append((kind, took))
    whole = sum(took for _, took in found) or 1
    spells, start = [], 0
    for kind, took in found:
        share = round(1000 * took / whole)
        spells.append(Spell(kind=kind, label=_LABELS[kind], duration_ms=took, start=start, share=share))
        start += share
    return Times(queued_ms=spent["queued"], waited_ms=spent["waited"], worked_ms=spent["worked"], spells=spells)

"""The steps of a run as a waterfall: a row for each step, or for all that are alike when there are many, drawn by the server."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from runs.stream.steps import RUN

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from runs.stream.steps import Step, Steps

SINGLE = 40
"""With more steps than this, calls of one tool, requests to one model and look-ups share a row."""
MOST_ROWS = 120
NARROWEST = 0.4
"""Per cent of the width; bars nearer to each other than this are drawn as one."""
_GROUPED = frozenset({"member", "tool", "model", "knowledge"})
_ICONS = {"member": "bot", "model": "sparkles", "tool": "wrench", "knowledge": "book-open", "person": "hand"}
_WORDS = {"member": "agent", "model": "model", "knowledge": "look-up", "person": ""}
_TIMES = {"member": "tasks", "knowledge": "look-ups"}
_TICKS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 28_800, 86_400, 604_800)
_MOST_TICKS = 6
_LAST_TICK = 93
_AHEAD = 0.03
"""Share of the width that is kept free after now."""


@dataclass(frozen=True)
class Bar:
    """Where something was under way, in per cent of the width."""

    x: float
    width: float
    look: str


@dataclass(frozen=True)
class Line:
    """One row. Its key names a step, or all that are alike."""

    key: str
    depth: int
    kind: str
    icon: str
    name: str
    note: str
    state: str
    duration_ms: int | None
    bars: tuple[Bar, ...]


@dataclass(frozen=True)
class Tick:
    """A mark on the axis."""

    x: float
    label: str


@dataclass(frozen=True)
class Timeline:
    """The whole of it. `now` is where the present is, None once the run has ended; `hidden` rows are left out."""

    lines: tuple[Line, ...]
    ticks: tuple[Tick, ...]
    now: float | None
    steps: int
    hidden: int


class _Scale:
    """Turns moments into per cent of the width."""

    def __init__(self, run: Step, now: datetime) -> None:
        self.now = now
        self._began = run.began
        seconds = max(0.001, ((run.ended or now) - run.began).total_seconds())
        self.seconds = seconds if run.ended else seconds * (1 + _AHEAD)

    def at(self, moment: datetime) -> float:
        share = (moment - self._began).total_seconds() / self.seconds
        return round(100 * min(1.0, max(0.0, share)), 2)

    def ticks(self) -> tuple[Tick, ...]:
        step = next((one for one in _TICKS if self.seconds / one <= _MOST_TICKS), self.seconds / _MOST_TICKS)
        # The last one is left out where its words would not fit.
        places = [(n, round(100 * n * step / self.seconds, 2)) for n in range(int(self.seconds / step) + 1)]
        return tuple(Tick(x, _clock(n * step, step)) for n, x in places if x <= _LAST_TICK)


def timeline_of(steps: Steps, *, name: str, icon: str, now: datetime | None = None) -> Timeline | None:
    """The waterfall of a run as it stands `now`; `name` and `icon` are of what ran. None before anything happened."""
    run = steps.all.get(RUN)
    if run is None:
        return None
    now = max(now or datetime.now(UTC), *(step.began for step in steps.all.values()))
    scale = _Scale(run, now)
    lines = [_line(key, group, depth, scale) for key, depth, group in _rows(steps)]
    lines[0] = replace(lines[0], name=name, icon=icon)
    return Timeline(
        lines=tuple(lines[:MOST_ROWS]),
        ticks=scale.ticks(),
        now=None if run.ended else scale.at(now),
        steps=len(steps.all) - 1,
        hidden=max(0, len(lines) - MOST_ROWS),
    )


def _rows(steps: Steps) -> Iterator[tuple[str, int, list[Step]]]:
    """Key, depth and steps of each row, from the outside to the inside, in the order in which they began."""
    has_many = len(steps.all) > SINGLE
    rows: dict[str, list[Step]] = {}
    children: dict[str, list[str]] = {}
    row_of: dict[str | None, str] = {None: ""}
    for step in sorted(steps.all.values(), key=lambda one: (one.key != RUN, one.began, one.first)):
        name = steps.alike(step.key) if has_many and step.kind in _GROUPED else step.key
        row_of[step.key] = name
        if name not in rows:
            children.setdefault(row_of.get(step.parent, RUN), []).append(name)
        rows.setdefault(name, []).append(step)

    def below(name: str, depth: int) -> Iterator[tuple[str, int, list[Step]]]:
        for child in children.get(name, ()):
            yield child, depth, rows[child]
            yield from below(child, depth + 1)

    yield from below("", 0)


def _line(key: str, group: list[Step], depth: int, scale: _Scale) -> Line:
    first, count = group[0], len(group)
    states = Counter(step.state for step in group)
    state = next((one for one in ("waiting", "running", "queued") if one in states), group[-1].state)
    took = sum((step.duration_ms(scale.now) or 0 for step in group), 0)
    notes = [f"{count} {_TIMES.get(first.kind, 'calls')}" if count > 1 else _WORDS.get(first.kind, "")]
    if count > 1 and states["failed"]:
        notes.append(f"{states['failed']} failed")
    return Line(
        key=key if count > 1 else first.key,
        depth=min(depth, 3),
        kind=first.kind,
        icon=_ICONS.get(first.kind, "bot"),
        name=first.label,
        note=", ".join(note for note in notes if note),
        state=state,
        duration_ms=took if first.ended or count > 1 else first.duration_ms(scale.now),
        bars=tuple(_bars(group, scale)),
    )


def _bars(group: Sequence[Step], scale: _Scale) -> Iterator[Bar]:
    drawn = sorted((scale.at(step.began), scale.at(step.ended or scale.now), _look(step)) for step in group)
    merged: list[tuple[float, float, str]] = []
    for begins, ends, look in drawn:
        if merged and merged[-1][2] == look and begins - merged[-1][1] < NARROWEST:
            merged[-1] = (merged[-1][0], max(ends, merged[-1][1]), look)
        else:
            merged.append((begins, ends, look))
    for begins, ends, look in merged:
        width = max(NARROWEST, round(ends - begins, 2))
        yield Bar(min(begins, 100 - width), width, look)


def _look(step: Step) -> str:
    if step.kind == "person" and step.ended is None:
        return "wait"
    if step.state in {"failed", "cancelled"}:
        return step.state
    return "soft" if step.kind in {"run", "member"} else "span"


def _clock(seconds: float, step: float) -> str:
    if step < 1:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"

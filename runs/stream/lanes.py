"""A run as lanes: the leader and the members of a team, each with what it did so far and what it cost.

One fold over events makes them, in any number of steps: folding the first part of a log and then the rest is folding all of it.
Each request to a model and each call of a tool belongs to exactly one lane, so that the lanes sum up to the run.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, Protocol

from mindloom import wall
from runs.models import RunEvent

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from runs.models import Run

LaneState = Literal["idle", "working", "waiting", "done", "failed", "stopped"]
TYPES = (
    "run.started",
    "run.waiting",
    "run.completed",
    "run.failed",
    "run.cancelled",
    "member.started",
    "member.finished",
    "model.called",
    "tool_call.started",
)
"""The events that change a lane."""


_AT_REST: dict[str, LaneState] = {
    "run.waiting": "waiting",
    "run.completed": "done",
    "run.failed": "failed",
    "run.cancelled": "stopped",
}


class Seen(Protocol):
    """What is looked at of an event: a row of the log has it."""

    type: str
    at: datetime
    source: Sequence[str]
    data: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Lane:
    """One agent at work in a run. `since` is when its present work began; `platform_calls` are part of `model_calls`."""

    name: str
    is_leader: bool = False
    role: str = ""
    state: LaneState = "idle"
    message: str = ""
    tasks: int = 0
    since: datetime | None = None
    worked_ms: int = 0
    model_calls: int = 0
    platform_calls: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    tool_calls: int = 0

    def duration_ms(self, now: datetime | None = None) -> int | None:
        """How long it worked, until now when it still does; None before it was asked."""
        if self.state == "idle":
            return None
        return self.worked_ms + (_ms(self.since, now or datetime.now(UTC)) if self.since else 0)

    @property
    def tokens(self) -> int:
        """Read and written."""
        return self.tokens_in + self.tokens_out


Lanes = tuple[Lane, ...]


def lanes_of(run: Run) -> Lanes:
    """The lanes of a run as its log has them now; none for an agent that works alone."""
    if "members" not in run.spec:
        return ()
    with wall.tenant([run.department_id]):
        rows = RunEvent.objects.filter(run_id=run.pk, type__in=TYPES).after(0)
        return fold(begin(run.spec), rows)


def begin(spec: Mapping[str, Any]) -> Lanes:
    """The lanes of a snapshot before anything happened: the leader, then the members in their order."""
    members = spec.get("members", ())
    leader = Lane(name=str(spec.get("name", "")), is_leader=True)
    return (
        leader,
        *(
            Lane(name=one["agent"]["name"], role=one.get("role") or one["agent"].get("description", ""))
            for one in members
        ),
    )


def fold(lanes: Lanes, events: Iterable[Seen]) -> Lanes:
    """The lanes after these events. A source that is no member gets a lane of its own, so that nothing is lost."""
    found = {lane.name if not lane.is_leader else "": lane for lane in lanes}
    for event in events:
        if event.type.startswith("run."):
            found = {name: _run(lane, event) for name, lane in found.items()}
            continue
        name = event.source[1] if len(event.source) > 1 else ""
        found[name] = _own(found.get(name) or Lane(name=name, is_leader=not name), event)
    return tuple(found.values())


def _own(lane: Lane, event: Seen) -> Lane:
    """What happened in the lane itself."""
    data = event.data
    if event.type == "model.called":
        return replace(
            lane,
            model_calls=lane.model_calls + 1,
            platform_calls=lane.platform_calls + bool(data.get("purpose")),
            tokens_in=lane.tokens_in + (data.get("tokens_in") or 0),
            tokens_out=lane.tokens_out + (data.get("tokens_out") or 0),
        )
    if event.type == "tool_call.started":
        return replace(lane, tool_calls=lane.tool_calls + 1)
    if event.type == "member.started":
        return replace(_at_work(lane, event.at), tasks=lane.tasks + 1)
    if event.type == "member.finished":
        error = data.get("error") or ""
        return _at_rest(lane, event.at, "failed" if error else "done", error)
    return lane


def _run(lane: Lane, event: Seen) -> Lane:
    """What a change of the whole run means for one lane."""
    if event.type == "run.started":
        return _at_work(lane, event.at) if lane.is_leader or lane.state == "waiting" else lane
    state = _AT_REST.get(event.type)
    # Members that were not asked stay so; the leader's lane ends with the run, also before a worker has taken it.
    if state is None or not (lane.is_leader or lane.state in {"working", "waiting"}):
        return lane
    broke_off = event.type in {"run.failed", "run.cancelled"}
    message = event.data.get("message", "") if broke_off and lane.is_leader else ""
    return _at_rest(lane, event.at, "stopped" if broke_off and not lane.is_leader else state, message)


def _at_work(lane: Lane, at: datetime) -> Lane:
    return lane if lane.state == "working" else replace(lane, state="working", message="", since=at)


def _at_rest(lane: Lane, at: datetime, state: LaneState, message: str) -> Lane:
    worked = lane.worked_ms + (_ms(lane.since, at) if lane.since else 0)
    return replace(lane, state=state, message=message, since=None, worked_ms=worked)


def _ms(since: datetime, until: datetime) -> int:
    return max(0, int((until - since).total_seconds() * 1000))

"""A run as steps: members, requests to models, calls of tools, look-ups, and questions to people, each inside another.

One fold over events makes them, in any number of parts: folding the first part of a log and then the rest is folding all of it. Each
event belongs to exactly one step. A step's key depends on nothing that is pruned from logs, so that a link to it holds.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal, Protocol

from mindloom.engine.events import TERMINAL_TYPES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

Kind = Literal["run", "member", "model", "tool", "knowledge", "person"]
StepState = Literal["queued", "running", "waiting", "completed", "failed", "cancelled"]
RUN = "run"
"""The key of the step that all others are inside of."""
Source = tuple[str, ...]


class Seen(Protocol):
    """What is looked at of an event: a row of the log has it."""

    @property
    def seq(self) -> int: ...
    @property
    def type(self) -> str: ...
    @property
    def at(self) -> datetime: ...
    @property
    def source(self) -> Sequence[str]: ...
    @property
    def data(self) -> Mapping[str, Any]: ...


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step. Tokens, cost and calls are those of everything inside it; `first` and `last` are numbers of events."""

    key: str
    parent: str | None
    kind: Kind
    label: str
    source: Source
    state: StepState
    began: datetime
    ended: datetime | None = None
    first: int
    last: int
    message: str = ""
    tokens_in: int = 0
    tokens_out: int = 0
    cost: Decimal = Decimal(0)
    unpriced_calls: int = 0
    model_calls: int = 0

    @property
    def tokens(self) -> int:
        """Read and written."""
        return self.tokens_in + self.tokens_out

    def duration_ms(self, now: datetime | None = None) -> int | None:
        """From its beginning to its end, or until `now`; None when it has not ended and there is no now."""
        end = self.ended or now
        return max(0, int((end - self.began).total_seconds() * 1000)) if end else None


@dataclass(frozen=True)
class Steps:
    """The steps after some events, in the order in which they began. `open` says which step a further event belongs to."""

    all: Mapping[str, Step] = field(default_factory=dict)
    open: Mapping[tuple[str, ...], str] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)

    def path(self, key: str | None) -> Iterator[Step]:
        """The step and those around it, innermost first."""
        while key is not None and key in self.all:
            yield self.all[key]
            key = self.all[key].parent

    def alike(self, key: str | None) -> str:
        """One name for steps that do the same in the same place, however often: calls of a tool by a member, look-ups."""
        inside = [step for step in self.path(key) if step.key != RUN]
        return "/".join(f"{step.kind}:{'' if step.kind == 'knowledge' else step.label}" for step in reversed(inside))

    def is_within(self, key: str, other: str) -> bool:
        """Whether a step is the other one or inside it; the other may be named by what it is alike to."""
        return any(other in {step.key, self.alike(step.key)} for step in self.path(key))


def fold(steps: Steps, events: Iterable[Seen], costs: Mapping[int, Decimal | None]) -> Steps:
    """The steps after these events. `costs` has what requests to models cost, by the number of their event."""
    return trace(steps, events, costs)[0]


def trace(steps: Steps, events: Iterable[Seen], costs: Mapping[int, Decimal | None]) -> tuple[Steps, list[str]]:
    """The same, and the key of the step that each event belongs to."""
    work = _Work(steps, costs)
    keys = [work.take(event) for event in events]
    return work.result(), keys


_RUN_STATES: dict[str, StepState] = {
    "run.queued": "queued",
    "run.started": "running",
    "run.waiting": "waiting",
    "run.resumed": "queued",
    "run.completed": "completed",
    "run.failed": "failed",
    "run.cancelled": "cancelled",
}
_QUESTIONS = {"answer": "Answer a question", "check": "Did it go out?"}


class _Work:
    """The fold at work. What it changes are copies."""

    def __init__(self, steps: Steps, costs: Mapping[int, Decimal | None]) -> None:
        self._all = dict(steps.all)
        self._open = dict(steps.open)
        self._counts = dict(steps.counts)
        self._costs = costs

    def result(self) -> Steps:
        return Steps(self._all, self._open, self._counts)

    def take(self, event: Seen) -> str:
        """Take an event in; the key of the step that it belongs to."""
        if RUN not in self._all:
            self._put(Step(key=RUN, parent=None, kind="run", label="Run", source=(), state="queued",
                           began=event.at, first=event.seq, last=event.seq))  # fmt: skip
        key = self._own(event, tuple(event.source))
        for step in Steps(self._all).path(key):
            if step.last < event.seq:
                self._all[step.key] = replace(step, last=event.seq)
        return key

    def _own(self, event: Seen, source: Source) -> str:
        families: dict[str, Callable[[Seen, Source], str]] = {
            "run": self._run,
            "content": self._text,
            "reasoning": self._text,
            "model": self._model,
            "tool_call": self._tool,
            "member": self._member,
            "knowledge": self._lookup,
            "approval": self._question,
        }
        take = families.get(event.type.partition(".")[0])
        return take(event, source) if take else self._container(source)

    def _text(self, event: Seen, source: Source) -> str:
        return self._open.get(("model", *source)) or self._begin(event, "model", "Model", ("model", *source))

    def _member(self, event: Seen, source: Source) -> str:
        if event.type == "member.started":
            return self._begin(event, "member", event.data["member"], ("member", *source), self._container(source[:-1]))
        key = self._open.pop(("member", *source), None)
        return self._end(key, event, error=event.data.get("error", "")) if key else self._container(source)

    def _lookup(self, event: Seen, _source: Source) -> str:
        return self._end(self._begin(event, "knowledge", event.data["query"]), event)

    def _run(self, event: Seen, source: Source) -> str:
        state = _RUN_STATES.get(event.type)
        if state is None:
            return self._container(source)
        over = event.type in TERMINAL_TYPES
        if over or (event.type == "run.started" and event.data.get("attempt", 1) > 1):
            # What was under way when the run ended, or when its worker vanished, is over; members go on.
            for name, key in list(self._open.items()):
                if over or name[0] in {"model", "tool"}:
                    del self._open[name]
                    self._put(replace(self._all[key], ended=event.at, state="cancelled"))
        message = event.data.get("message", "") if event.type == "run.failed" else ""
        run = self._all[RUN]
        # As everywhere else, what a run takes is counted from its start, without the time in the queue.
        began = event.at if event.type == "run.started" and event.data.get("attempt", 1) == 1 else run.began
        self._put(replace(run, state=state, message=message, began=began, ended=event.at if over else None))
        return RUN

    def _model(self, event: Seen, source: Source) -> str:
        data = event.data
        # What the platform asks for itself, such as a summary, is no part of the answer that is being written.
        key = None if data.get("purpose") else self._open.pop(("model", *source), None)
        purpose = f" for {data['purpose']}" if data.get("purpose") else ""
        key = key or self._begin(event, "model", "Model")
        self._put(replace(self._all[key], label=f"{data['model']}{purpose}", model_calls=0))
        self._end(key, event, error=data.get("error") or "")
        cost = self._costs.get(event.seq)
        for step in list(Steps(self._all).path(key)):
            self._put(
                replace(
                    step,
                    model_calls=step.model_calls + 1,
                    tokens_in=step.tokens_in + (data.get("tokens_in") or 0),
                    tokens_out=step.tokens_out + (data.get("tokens_out") or 0),
                    cost=step.cost + (cost or 0),
                    unpriced_calls=step.unpriced_calls + (cost is None),
                )
            )
        return key

    def _tool(self, event: Seen, source: Source) -> str:
        name = ("tool", *source, str(event.data.get("call_id", "")))
        if event.type == "tool_call.started":
            if stale := self._open.get(name):
                self._put(replace(self._all[stale], ended=event.at, state="cancelled"))
            return self._begin(event, "tool", event.data["tool"], name)
        key = self._open.pop(name, None) or self._begin(event, "tool", event.data["tool"])
        return self._end(key, event, error=event.data["message"] if event.type == "tool_call.failed" else "")

    def _question(self, event: Seen, source: Source) -> str:
        name = ("person", event.data["approval"])
        if event.type == "approval.requested":
            label = _QUESTIONS.get(event.data.get("kind", ""), f"Approve {event.data['tool']}")
            key = self._begin(event, "person", label, name)
            self._put(replace(self._all[key], state="waiting"))
            return key
        found = self._open.pop(name, None)
        if found is None:
            return self._container(source)
        declined = event.data["decision"] == "declined"
        self._put(replace(self._all[found], ended=event.at, state="cancelled" if declined else "completed"))
        return found

    def _begin(self, event: Seen, kind: Kind, label: str, name: tuple[str, ...] = (), parent: str | None = None) -> str:
        """A new step. With a name it stays open, and further events find it by that."""
        source = tuple(event.source)
        inside = parent or self._container(source)
        # Requests are counted inside their member: which of two members spoke first is forgotten when pieces are pruned.
        name_of = f"{inside}.{kind}" if kind == "model" and inside != RUN else kind
        self._counts[name_of] = self._counts.get(name_of, 0) + 1
        key = f"{name_of}-{self._counts[name_of]}"
        began = event.at - timedelta(milliseconds=event.data.get("duration_ms") or 0)
        self._put(Step(key=key, parent=inside, kind=kind, label=label, source=source, state="running",
                       began=began, first=event.seq, last=event.seq))  # fmt: skip
        if name:
            self._open[name] = key
        return key

    def _end(self, key: str, event: Seen, *, error: str = "") -> str:
        step = self._all[key]
        # A request began before its first word.
        began = min(step.began, event.at - timedelta(milliseconds=event.data.get("duration_ms") or 0))
        self._put(replace(step, began=began, ended=event.at, message=error, state="failed" if error else "completed"))
        return key

    def _put(self, step: Step) -> None:
        self._all[step.key] = step

    def _container(self, source: Source) -> str:
        """The member at work that an event of this source belongs to, else the run."""
        while source:
            if key := self._open.get(("member", *source)):
                return key
            source = source[:-1]
        return RUN

"""The boundary between the platform and whatever runs agents."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from mindloom.engine.events import Event
from mindloom.engine.ports import Ports
from mindloom.engine.spec import RunInput, Spec

TICK_SECONDS = 0.25
SECONDS = "seconds"
"""The name of the note that says how long the run has worked, before it waited or its process vanished."""


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What a person said to one call. `tool` and `arguments` are what they saw; only exactly that call is let through."""

    tool: str
    arguments: dict[str, Any]
    approved: bool
    by: str
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Resume:
    """How a run goes on that waited, or whose process vanished: all that it `Noted`, and the decisions by the calls' keys.

    `blocks` says how many texts the log has of each source, as `{source: (content, reasoning)}`: a text that broke off stays as
    it is, and the next one gets a number of its own.
    """

    journal: dict[str, Any] = field(default_factory=dict)
    decisions: Mapping[str, Decision] = field(default_factory=dict)
    blocks: Mapping[tuple[str, ...], tuple[int, int]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Noted:
    """What a model or a tool answered, as JSON, under a name that is the same each time the run comes there.

    Nobody reads it but the engine: with all of them the run can go on in another process. A later one with the same name takes
    the place of the earlier.
    """

    name: str
    value: Any


class RunHandle(Protocol):
    """One run under way. It is iterated by one thread; `cancel` may be called from any."""

    def __iter__(self) -> Iterator[Event | Noted | None]:
        """The run's events and notes in order, and `None` at least every `TICK_SECONDS` while nothing happens.

        The last event is `run.completed`, `run.failed`, `run.cancelled`, or `run.waiting` when people must decide first;
        the iterator raises nothing for what goes wrong inside the run. Who asks for the item after a `tool_call.started` says
        with it that this one is kept for good: no tool that changes something begins before that.
        """

    def cancel(self, message: str) -> None:
        """Stop the run soon, also while a model or a tool is silent; a second call changes nothing."""


class Runner(Protocol):
    """Starts runs."""

    def run(self, spec: Spec, given: RunInput, *, run_id: str, ports: Ports, resume: Resume | None = None) -> RunHandle:
        """Begin a run, or go on with one that waited. Nothing blocks here; the work starts when the handle is iterated."""

"""The boundary between the platform and whatever runs agents."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from mindloom.engine.events import Event
from mindloom.engine.ports import Ports
from mindloom.engine.spec import RunInput, Spec

TICK_SECONDS = 0.25


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
    """How a run that waited goes on: what it had done (`RunHandle.journal`), and the decisions by the calls' keys."""

    journal: dict[str, Any] = field(default_factory=dict)
    decisions: Mapping[str, Decision] = field(default_factory=dict)


class RunHandle(Protocol):
    """One run under way. It is iterated by one thread; `cancel` may be called from any."""

    def __iter__(self) -> Iterator[Event | None]:
        """The run's events in order, and `None` at least every `TICK_SECONDS` while nothing happens.

        The last event is `run.completed`, `run.failed`, `run.cancelled`, or `run.waiting` when people must decide first;
        the iterator raises nothing for what goes wrong inside the run.
        """

    def cancel(self, message: str) -> None:
        """Stop the run soon, also while a model or a tool is silent; a second call changes nothing."""

    def journal(self) -> dict[str, Any]:
        """What models and tools have answered so far, as JSON values: with it the run can go on in another process."""


class Runner(Protocol):
    """Starts runs."""

    def run(self, spec: Spec, given: RunInput, *, run_id: str, ports: Ports, resume: Resume | None = None) -> RunHandle:
        """Begin a run, or go on with one that waited. Nothing blocks here; the work starts when the handle is iterated."""

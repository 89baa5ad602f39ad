"""The boundary between the platform and whatever runs agents."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from mindloom.engine.events import Event
from mindloom.engine.ports import Ports
from mindloom.engine.spec import AgentSpec, RunInput

TICK_SECONDS = 0.25


class RunHandle(Protocol):
    """One run under way. It is iterated by one thread; `cancel` may be called from any."""

    def __iter__(self) -> Iterator[Event | None]:
        """The run's events in order, and `None` at least every `TICK_SECONDS` while nothing happens.

        The last event is `run.completed`, `run.failed` or `run.cancelled`; the iterator raises nothing for what goes
        wrong inside the run.
        """

    def cancel(self, message: str) -> None:
        """Stop the run soon, also while a model or a tool is silent; a second call changes nothing."""


class Runner(Protocol):
    """Starts runs."""

    def run(self, spec: AgentSpec, given: RunInput, *, run_id: str, ports: Ports) -> RunHandle:
        """Begin a run. Nothing blocks here; the work starts when the handle is iterated."""

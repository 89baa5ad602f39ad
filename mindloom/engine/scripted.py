"""A runner that plays a list: tests, demonstrations and screenshots without a model."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator

from mindloom.engine.events import LAST_TYPES, Event, RunCancelled, RunFailed
from mindloom.engine.ports import Ports
from mindloom.engine.runner import TICK_SECONDS, Resume
from mindloom.engine.spec import RunInput, Spec

Step = Event | float


class ScriptedRunner:
    """Plays the same events for every run. A number among them is a pause in seconds."""

    def __init__(self, steps: Iterable[Step]) -> None:
        self._steps = tuple(steps)

    def run(
        self, spec: Spec, given: RunInput, *, run_id: str, ports: Ports, resume: Resume | None = None
    ) -> ScriptedRun:
        """Begin to play."""
        return ScriptedRun(self._steps, (spec.name,))


class ScriptedRun:
    """One playing of the list; it keeps a real run's promises about ticks, cancelling and the last event."""

    def __init__(self, steps: tuple[Step, ...], source: tuple[str, ...]) -> None:
        self._steps = steps
        self._source = source
        self._message: str | None = None
        self._cancelled = threading.Event()
        self._lock = threading.Lock()

    def __iter__(self) -> Iterator[Event | None]:
        for step in self._steps:
            if not isinstance(step, Event):
                yield from self._pause(step)
            if self._cancelled.is_set():
                yield RunCancelled(message=self._message or "", source=self._source)
                return
            if isinstance(step, Event):
                yield step
                if step.type in LAST_TYPES:
                    return
        yield RunFailed(kind="system_error", message="The script ended without a last event.", source=self._source)

    def cancel(self, message: str) -> None:
        """Stop playing, in a pause too; the first message holds."""
        with self._lock:
            if self._message is None:
                self._message = message
        self._cancelled.set()

    def _pause(self, seconds: float) -> Iterator[None]:
        end = time.monotonic() + seconds
        while not self._cancelled.is_set() and (left := end - time.monotonic()) > 0:
            if not self._cancelled.wait(min(left, TICK_SECONDS)) and left > TICK_SECONDS:
                yield None

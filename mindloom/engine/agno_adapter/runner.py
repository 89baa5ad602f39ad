"""The engine's `Runner`, with Agno behind it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Collection, Iterator
from importlib import import_module
from typing import TYPE_CHECKING

from mindloom.engine.agno_adapter.loop import LOOP
from mindloom.engine.agno_adapter.outbox import Outbox
from mindloom.engine.agno_adapter.plan import prepare
from mindloom.engine.errors import EngineError
from mindloom.engine.events import Event, FailureKind, RunCancelled, RunFailed
from mindloom.engine.ports import Ports
from mindloom.engine.runner import Noted, Resume
from mindloom.engine.spec import RunInput, Spec

if TYPE_CHECKING:
    from mindloom.engine.agno_adapter.session import Session

log = logging.getLogger(__name__)

_LOADED_WHEN_USED = {
    "anthropic": "mindloom.engine.agno_adapter.claude",
    "azure": "mindloom.engine.agno_adapter.azure",
}


class AgnoRunner:
    """Runs agents with Agno, all of a process on one event loop."""

    @staticmethod
    def warm_up(kinds: Collection[str] = ()) -> None:
        """Import Agno and the SDKs for these kinds of model now, some seconds. A worker that does so spares the first run."""
        from mindloom.engine.agno_adapter import session  # noqa: F401

        for kind in _LOADED_WHEN_USED.keys() & set(kinds):
            import_module(_LOADED_WHEN_USED[kind])

    def run(self, spec: Spec, given: RunInput, *, run_id: str, ports: Ports, resume: Resume | None = None) -> AgnoRun:
        """Begin a run, or go on with one that waited. Nothing happens before it is iterated."""
        return AgnoRun(spec, given, run_id=run_id, ports=ports, resume=resume)


class AgnoRun:
    """One run. Iterate it once; `cancel` may be called from any thread, before and after too."""

    def __init__(self, spec: Spec, given: RunInput, *, run_id: str, ports: Ports, resume: Resume | None) -> None:
        self._spec = spec
        self._given = given
        self._run_id = run_id
        self._ports = ports
        self._resume = resume
        self._session: Session | None = None
        self._cancelled: str | None = None
        self._lock = threading.Lock()

    def __iter__(self) -> Iterator[Event | Noted | None]:
        outbox = Outbox()
        try:
            session = self._open(outbox)
        except EngineError as error:
            yield self._failed(error.kind, error.message)
            return
        except Exception:
            log.exception("run %s could not be prepared", self._run_id)
            message = "Mindloom itself failed while it prepared the run. The administrators' log has the details."
            yield self._failed("system_error", message)
            return
        with self._lock:
            stopped = self._cancelled
            self._session = session
        if stopped is not None:
            yield RunCancelled(message=stopped, source=(self._spec.name,))
            return
        LOOP.start(session.main())
        try:
            yield from outbox
        finally:
            # The reader may go away early; a run that nobody reads must not go on spending.
            self.cancel("Nobody reads this run any more.")

    def cancel(self, message: str) -> None:
        """Stop the run soon, also while a model or a tool is silent."""
        with self._lock:
            if self._cancelled is None:
                self._cancelled = message
            session = self._session
        if session is not None and not session.outbox.closed:
            LOOP.call(session.cancel, message)

    def _open(self, outbox: Outbox) -> Session:
        from mindloom.engine.agno_adapter.session import Session

        plan = prepare(self._spec, self._given, run_id=self._run_id, ports=self._ports, resume=self._resume)
        return Session(plan, outbox)

    def _failed(self, kind: FailureKind, message: str) -> Event:
        return RunFailed(kind=kind, message=message, source=(self._spec.name,))

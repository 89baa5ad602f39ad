"""One run on the event loop: what it has spent, how it ends, and the Agno agent or team that does the work."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, contextmanager
from typing import Any

from mindloom.engine.agno_adapter import outcomes, remembering
from mindloom.engine.agno_adapter.budget import Budget
from mindloom.engine.agno_adapter.desk import Desk
from mindloom.engine.agno_adapter.journal import Journal
from mindloom.engine.agno_adapter.outbox import Outbox
from mindloom.engine.agno_adapter.part import Part
from mindloom.engine.agno_adapter.plan import Plan
from mindloom.engine.agno_adapter.team import TeamWork
from mindloom.engine.errors import EngineError
from mindloom.engine.events import Event, FailureKind, LogWritten, RunCancelled, RunCompleted, RunFailed
from mindloom.engine.runner import SECONDS, Noted
from mindloom.engine.spec import TeamSpec

GRACE_SECONDS = 0.15

log = logging.getLogger(__name__)


class Session:
    """Shared by the parts of one run. After `__init__` everything happens on the event loop."""

    def __init__(self, plan: Plan, outbox: Outbox) -> None:
        """Make the Agno objects of the run. Raises `EngineError` when a model's spec lacks something."""
        self.plan = plan
        self.limits = plan.spec.limits
        self.outbox = outbox
        self.source = plan.leader.source
        self.verdict: Event | None = None
        self.journal = Journal(plan.resume.journal, outbox)
        self.budget = Budget(self.limits, self.fail)
        self.passages_told = 0
        self.desk = Desk(self)
        self.leader = Part(self, plan.leader)
        self.team = TeamWork(self, plan.spec) if isinstance(plan.spec, TeamSpec) else None
        self._worker = self.team.build() if self.team is not None else self.leader.agent(plan.memories)
        self._task: asyncio.Task[None] | None = None
        self._began = time.monotonic()

    @contextmanager
    def working(self) -> Iterator[None]:
        """While a model or a tool is at work, the run does not wait for people."""
        self.desk.busy += 1
        try:
            yield
        finally:
            self.desk.busy -= 1
            self.desk.look()

    def stop(self, verdict: Event) -> None:
        """End the run with this event, soon, whatever it is doing. The first verdict holds."""
        if self.verdict is not None or self.outbox.closed:
            return
        self.verdict = verdict
        if self._task is not None:
            self._task.cancel()
        # Should the cancelled task linger in somebody's `finally`, the person does not wait for it.
        asyncio.get_running_loop().call_later(GRACE_SECONDS, self._end, verdict)

    def cancel(self, message: str) -> None:
        """End the run because somebody asked for it."""
        self.stop(RunCancelled(message=message, source=self.source))

    def fail(self, message: str, kind: FailureKind) -> EngineError:
        """Decide that the run has failed. Raise the result, so that Agno ends too."""
        if self.verdict is None:
            self.verdict = RunFailed(kind=kind, message=message, source=self.source)
            if self.team is not None and self._task is not None:
                # Raised inside a member, the error would be taken for the member's own and the leader would go on.
                self._task.cancel()
        return EngineError(message, kind=kind)

    async def main(self) -> None:
        """Run the agent to its end. Raises nothing."""
        if self.verdict is not None:  # stopped between the reader's start and this line
            self._end(self.verdict)
            return
        self._task = asyncio.current_task()
        left = max(0.0, self.limits.seconds - (self.journal.get(SECONDS) or 0.0))
        deadline = asyncio.get_running_loop().call_later(left, self._out_of_time)
        try:
            outcome = await self._drive()
        except asyncio.CancelledError:
            outcome = RunFailed(kind="system_error", message="The worker was shut down.", source=self.source)
        except EngineError as error:
            outcome = RunFailed(kind=error.kind, message=error.message, source=self.source)
        except Exception:
            log.exception("run %s broke", self.plan.run_id)
            message = "Mindloom itself failed while running the agent. The administrators' log has the details."
            outcome = RunFailed(kind="system_error", message=message, source=self.source)
        finally:
            deadline.cancel()
        self._end(self.verdict or outcome)

    async def _drive(self) -> Event:
        self._began = time.monotonic()
        if note := self.plan.memories.note:
            self.journal.once("note", LogWritten(level="warn", message=note, source=self.source))
        run: Any = self._worker.arun(self.plan.given.text, stream=True, stream_events=True, run_id=self.plan.run_id)
        events: AsyncIterator[Any] = run
        async with aclosing(events) as stream:  # type: ignore[type-var]
            async for event in stream:
                error = outcomes.error_of(event)
                if error is not None:
                    if self.verdict is None:
                        log.error("run %s: Agno ended it: %s", self.plan.run_id, type(event).__name__)
                    said = self.leader.calls.choice.explainer.clean(error)
                    raise self.fail(f"The agent could not go on: {said}", "agent_error")
        completed = self._completed()
        await remembering.remember(self, completed.output)
        return completed

    def _completed(self) -> RunCompleted:
        if self.team is not None:
            return self.team.completed()
        form = self.leader.calls.form
        return RunCompleted(
            output=self.leader.texts.answer, structured=form.value if form is not None else None, source=self.source
        )

    def _end(self, verdict: Event) -> None:
        if not self.outbox.closed:
            self.leader.texts.end_turn()
            for member in self.team.members if self.team is not None else ():
                member.texts.end_turn()
            # The time while people think does not count.
            used = (self.journal.get(SECONDS) or 0.0) + time.monotonic() - self._began
            self.outbox.close(verdict, Noted(name=SECONDS, value=round(used, 3)))

    def _out_of_time(self) -> None:
        seconds = self.limits.seconds
        message = (
            f"The run was ended after {seconds} seconds, the longest that this agent may run. "
            "Give it less to do, or raise its time limit."
        )
        self.stop(RunFailed(kind="timeout", message=message, source=self.source))

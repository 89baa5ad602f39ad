"""One run on the event loop: what it has spent, how it ends, and the Agno agent that does the work."""

from __future__ import annotations

import asyncio
import logging
from contextlib import aclosing

from mindloom.engine.agno_adapter import models, outcomes
from mindloom.engine.agno_adapter.agno_setup import Agent
from mindloom.engine.agno_adapter.calls import ModelCalls
from mindloom.engine.agno_adapter.outbox import Outbox
from mindloom.engine.agno_adapter.plan import Plan
from mindloom.engine.agno_adapter.texts import Texts
from mindloom.engine.agno_adapter.toolbox import Toolbox
from mindloom.engine.errors import EngineError
from mindloom.engine.events import Event, FailureKind, Level, LogWritten, RunCancelled, RunCompleted, RunFailed

GRACE_SECONDS = 0.15

log = logging.getLogger(__name__)


class Session:
    """Shared by the model calls and the tools of one run. After `__init__` everything happens on the event loop."""

    def __init__(self, plan: Plan, outbox: Outbox) -> None:
        """Make the Agno objects of the run. Raises `EngineError` when the model's spec lacks something."""
        self.plan = plan
        self.limits = plan.spec.limits
        self.outbox = outbox
        self.source = (plan.spec.name,)
        self.texts = Texts(outbox, self.source)
        self.verdict: Event | None = None
        self.toolbox = Toolbox(self)
        self._agent = self._build()
        self._task: asyncio.Task[None] | None = None

    def log(self, level: Level, message: str) -> None:
        """Write a line into the run's log."""
        self.outbox.put(LogWritten(level=level, message=message, source=self.source))

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
        return EngineError(message, kind=kind)

    async def main(self) -> None:
        """Run the agent to its end. Raises nothing."""
        if self.verdict is not None:  # stopped between the reader's start and this line
            self._end(self.verdict)
            return
        self._task = asyncio.current_task()
        deadline = asyncio.get_running_loop().call_later(self.limits.seconds, self._out_of_time)
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

    def _build(self) -> Agent:
        plan = self.plan
        model = models.build(plan.spec.model, plan.api_key)
        model.calls = ModelCalls(self)
        return Agent(
            name=plan.spec.name,
            model=model,
            system_message=plan.system or None,
            tools=list(self.toolbox.offered()),
            # Agno would add words of its own, and fill `{name}` in what the person wrote.
            build_context=False,
            resolve_in_context=False,
            telemetry=False,
        )

    async def _drive(self) -> Event:
        events = self._agent.arun(self.plan.given.text, stream=True, stream_events=True, run_id=self.plan.run_id)
        async with aclosing(events) as stream:  # type: ignore[type-var]
            async for event in stream:
                error = outcomes.error_of(event)
                if error is not None:
                    if self.verdict is None:
                        log.error("run %s: Agno ended it: %s", self.plan.run_id, type(event).__name__)
                    raise self.fail(f"The agent could not go on: {self.plan.explainer.clean(error)}", "agent_error")
        return RunCompleted(output=self.texts.answer, source=self.source)

    def _end(self, verdict: Event) -> None:
        if not self.outbox.closed:
            self.texts.end_turn()
            self.outbox.close(verdict)

    def _out_of_time(self) -> None:
        seconds = self.limits.seconds
        message = (
            f"The run was ended after {seconds} seconds, the longest that this agent may run. "
            "Give it less to do, or raise its time limit."
        )
        self.stop(RunFailed(kind="timeout", message=message, source=self.source))

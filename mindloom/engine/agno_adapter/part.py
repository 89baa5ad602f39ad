"""One agent at work in a run: the agent itself, a team's leader, or a member."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mindloom.engine.agno_adapter.agno_setup import Agent, Message
from mindloom.engine.agno_adapter.calls import ModelCalls
from mindloom.engine.agno_adapter.texts import Texts
from mindloom.engine.agno_adapter.toolbox import Toolbox
from mindloom.engine.errors import EngineError
from mindloom.engine.events import FailureKind, Level, LogWritten

if TYPE_CHECKING:
    from mindloom.engine.agno_adapter.plan import PartPlan
    from mindloom.engine.agno_adapter.session import Session
    from mindloom.engine.ports import Memories


class Part:
    """What belongs to one agent of the run: its texts, its tools, its requests. A member's failure is its own."""

    def __init__(self, session: Session, plan: PartPlan, *, is_member: bool = False) -> None:
        self.session = session
        self.plan = plan
        self.source = plan.source
        self.is_member = is_member
        self.failure: str = ""
        self.texts = Texts(session.outbox, self.source, session.plan.resume.blocks.get(self.source, (0, 0)))
        self.toolbox = Toolbox(self)
        self.calls = ModelCalls(self)

    @property
    def is_over(self) -> bool:
        """Whether nothing more is to be done here."""
        return self.session.verdict is not None or bool(self.failure)

    @property
    def why_over(self) -> str:
        """Why nothing more is done here, "" while something is."""
        verdict = self.session.verdict
        return self.failure or (str(getattr(verdict, "message", "")) if verdict is not None else "")

    def log(self, level: Level, message: str) -> None:
        """Write a line into the run's log."""
        self.session.outbox.put(LogWritten(level=level, message=message, source=self.source))

    def fail(self, message: str, kind: FailureKind) -> EngineError:
        """Decide that this part has failed: a member for this time, everybody else with the whole run. Raise the result."""
        if not self.is_member:
            return self.session.fail(message, kind)
        self.failure = self.failure or message
        return EngineError(message, kind=kind)

    def agent(self, memories: Memories) -> Agent:
        """The Agno agent. Raises `EngineError` when the model's spec lacks something."""
        return Agent(
            id=self.plan.id,
            name=self.plan.name,
            role=self.plan.role or None,
            model=self.calls.build(),
            system_message=self.plan.system or None,
            additional_input=earlier(memories) or None,
            tools=list(self.toolbox.offered()),
            # Agno would add words of its own, and fill `{name}` in what the person wrote.
            build_context=False,
            resolve_in_context=False,
            telemetry=False,
        )


def earlier(memories: Memories) -> list[Any]:
    """The conversation's earlier exchanges as messages."""
    messages: list[Any] = []
    for exchange in memories.exchanges:
        messages += [Message(role="user", content=exchange.asked), Message(role="assistant", content=exchange.answered)]
    return messages

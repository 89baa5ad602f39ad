"""The calls that wait for a person. When nothing else is at work, the run ends for now and asks.

Ending is safe at any moment, because what was not written into the journal has not happened: a run that goes on finds the rest
of its work still to do. So it is enough to look whether the run is quiet, and no harm to be wrong.
"""

from __future__ import annotations

import asyncio
import uuid
from typing import TYPE_CHECKING

from mindloom.engine.events import ApprovalRequested, RunWaiting

if TYPE_CHECKING:
    from mindloom.engine.agno_adapter.part import Part
    from mindloom.engine.agno_adapter.session import Session
    from mindloom.engine.ports import ToolFunction

QUIET_SECONDS = 0.2
LONGEST_QUESTION = 500
AFTER_DOCUMENTS = "Documents were read in this run, and their text may hide instructions, so a person is asked first."
_IDS = uuid.UUID("6f1c1a52-3a52-4c3a-9d1c-6d0f0c1b7a11")


class Desk:
    """Collects the open questions of one run."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._open: dict[str, ApprovalRequested] = {}
        self._timer: asyncio.TimerHandle | None = None
        self.busy = 0
        """How many models and tools are at work."""

    async def wait(self, part: Part, key: str, function: ToolFunction, arguments: dict[str, object]) -> None:
        """Ask about this call. Never returns: the run ends first, and goes on in another process."""
        self._session.journal.put(f"{key}:asked", {"tool": function.info.name, "arguments": arguments})
        self._open[key] = ApprovalRequested(
            approval=str(uuid.uuid5(_IDS, f"{self._session.plan.run_id} {key}")),
            tool=function.info.name,
            arguments=arguments,
            message=_sentence(part, function, arguments),
            kind="answer" if function.asks == "answer" else "approval",
            effect=function.info.effect,
            key=key,
            source=part.source,
        )
        self.look()
        await asyncio.get_running_loop().create_future()

    def look(self) -> None:
        """When people are waited for and all else is quiet, end for now, unless something stirs within a moment."""
        if self._open and self.busy == 0 and self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(QUIET_SECONDS, self._suspend)

    def _suspend(self) -> None:
        self._timer = None
        session = self._session
        if self.busy or session.verdict is not None or session.outbox.closed:
            return
        for asked in self._open.values():
            session.outbox.put(asked)
        first = next(iter(self._open.values()))
        more = f" ({len(self._open) - 1} more)" if len(self._open) > 1 else ""
        session.stop(RunWaiting(reason="waiting_for_person", message=f"{first.message}{more}", source=session.source))


def _sentence(part: Part, function: ToolFunction, arguments: dict[str, object]) -> str:
    if function.asks == "answer":
        return str(arguments.get("question") or "A person is asked for an answer.")[:LONGEST_QUESTION]
    acts = {"sends": "send something outside", "writes": "change something", "executes": "execute something"}
    wish = f"{part.plan.name} wants to {acts.get(function.info.effect, 'act')} with {function.info.name}."
    return wish if function.asks else f"{wish} {AFTER_DOCUMENTS}"

"""A team at work: Agno's leader decides who does what, and every member's part is seen, counted and told apart here.

Agno gives a leader's call for a member as a stream of the member's events. Left to itself it hands the leader an empty text
for a member that failed, and the words of several members mixed; so the stream is read here, and the leader gets each
member's answer under its name, or why there is none.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from mindloom.engine.agno_adapter import agno_setup
from mindloom.engine.agno_adapter.agno_setup import Function, Team, TeamMode
from mindloom.engine.agno_adapter.part import Part, earlier
from mindloom.engine.agno_adapter.reading import as_ms
from mindloom.engine.agno_adapter.toolbox import entrypoint, parsed
from mindloom.engine.events import MemberFinished, MemberStarted, RunCompleted
from mindloom.engine.ports import Memories

if TYPE_CHECKING:
    from mindloom.engine.agno_adapter.session import Session
    from mindloom.engine.spec import TeamSpec

MODES = {"route": TeamMode.route, "coordinate": TeamMode.coordinate, "collaborate": TeamMode.broadcast}
_LONGEST_TASK = 50_000


@dataclass
class _Shift:
    """One member's work on one task."""

    member: Part
    name: str
    """Of the delegation in the journal."""
    started: float
    error: str = ""
    ended: bool = False


class TeamWork:
    """The members of a run's team, and what became of their tasks."""

    def __init__(self, session: Session, spec: TeamSpec) -> None:
        self._session = session
        self._spec = spec
        self.members = tuple(Part(session, plan, is_member=True) for plan in session.plan.members)
        self._agents = {member.plan.id: member for member in self.members}
        self._locks = {member.plan.key: asyncio.Lock() for member in self.members}
        self._handed_over: list[Part] = []
        self._failures: dict[str, str] = {}

    def build(self) -> Team:
        """The Agno team. Raises `EngineError` when a model's spec lacks something."""
        leader = self._session.leader
        return Team(
            id=f"team-{leader.plan.id}",
            name=leader.plan.name,
            model=leader.calls.build(),
            mode=MODES[self._spec.type],
            members=[member.agent(Memories()) for member in self.members],
            instructions=leader.plan.system or None,
            additional_input=earlier(self._session.plan.memories) or None,
            tools=list(leader.toolbox.offered()),
            resolve_in_context=False,
            telemetry=False,
        )

    def completed(self) -> RunCompleted:
        """How the run ended, once the leader is done."""
        leader = self._session.leader
        form = leader.calls.form
        output, structured = leader.texts.answer, form.value if form is not None else None
        if self._spec.type == "route" and self._handed_over:
            answers = self._handed_over
            output = "\n\n".join(dict.fromkeys(self._answer(member) for member in answers))
            last = answers[-1].calls.form
            structured = last.value if last is not None and len(answers) == 1 else None
        warnings = tuple(f"{name} failed, its part is missing: {why}" for name, why in self._failures.items())
        if warnings and structured is None:
            output = "\n".join([output, "", *(f"> **Note:** {warning}" for warning in warnings)]).strip()
        return RunCompleted(output=output, structured=structured, warnings=warnings, source=leader.source)

    def function(self, number: int, name: str, raw: object, functions: dict[str, Function]) -> Function:
        """What Agno runs when the leader calls for a member, or for all."""
        hands_over = self._spec.type == "route"
        return Function(
            name=name,
            entrypoint=entrypoint(partial(self._delegate, f"0:delegation:{number}", name, raw, functions)),
            skip_entrypoint_processing=True,
            stop_after_tool_call=hands_over,
            show_result=hands_over,
        )

    async def _delegate(self, key: str, name: str, raw: object, functions: dict[str, Function]) -> str:
        arguments, problem = parsed(raw)
        task = str(arguments.get("task") or "")[:_LONGEST_TASK]
        wanted = str(arguments.get("member_id") or "")
        asked = list(self.members) if name == "delegate_task_to_members" else [self._agents.get(wanted)]
        members = [member for member in asked if member is not None]
        if problem or not task.strip() or not members:
            sentence = problem or (
                "Say what the member is to do."
                if members
                else f"There is no member “{wanted[:60]}”. Members: {', '.join(self._agents)}."
            )
            self._session.leader.log("warn", f"A task could not be handed out: {sentence}")
            if self._spec.type == "route":
                raise self._session.fail(f"The team could not hand the task to a member: {sentence}", "agent_error")
            return f"Error: {sentence}"
        async with AsyncExitStack() as stack:
            # One member does one task at a time, so that its turns have the same numbers when a run goes on.
            for member in members:
                await stack.enter_async_context(self._locks[member.plan.key])
            shifts = {member.plan.id: self._begin(member, key, task) for member in members}
            given = {"member_id": wanted, "task": task} if name == "delegate_task_to_member" else {"task": task}
            await self._watched(shifts, agno_setup.function_call(name, json.dumps(given), functions))
        return self._told(list(shifts.values()))

    def _begin(self, member: Part, key: str, task: str) -> _Shift:
        member.failure = ""
        member.texts.restore([*member.texts.state()[:2], ""])
        if member.calls.form is not None:
            member.calls.form.value = None
        name = f"{key}:{member.plan.key}"
        began = MemberStarted(member=member.plan.name, task=task, source=member.source)
        self._session.journal.once(f"{name}:started", began)
        return _Shift(member=member, name=name, started=time.monotonic())

    async def _watched(self, shifts: dict[str, _Shift], call: Any) -> None:
        """Let the members work, and write down when each ends and how."""
        await call.aexecute()
        events: AsyncIterator[Any] = call.result
        async for event in events:
            shift = shifts.get(str(getattr(event, "agent_id", "") or ""))
            if shift is None:
                continue
            if event.event in {"RunError", "RunCancelled"} and not shift.error:
                shift.error = shift.member.failure or shift.member.calls.choice.explainer.clean(
                    str(getattr(event, "content", None) or getattr(event, "reason", None) or "It gave no reason.")
                )
                self._end(shift)
            elif event.event == "RunCompleted":
                self._end(shift)
        for shift in shifts.values():
            shift.error = shift.error or shift.member.failure
            self._end(shift)

    def _end(self, shift: _Shift) -> None:
        if shift.ended or self._session.verdict is not None:
            return
        shift.ended = True
        ended = MemberFinished(
            member=shift.member.plan.name,
            duration_ms=as_ms(time.monotonic() - shift.started),
            error=shift.error,
            source=shift.member.source,
        )
        self._session.journal.once(f"{shift.name}:finished", ended)

    def _told(self, shifts: list[_Shift]) -> str:
        """What the leader reads of its members' work."""
        for shift in shifts:
            name = shift.member.plan.name
            if shift.error:
                self._failures[name] = shift.error
            else:
                self._failures.pop(name, None)  # it did better when it was asked again
                self._handed_over.append(shift.member)
        if self._spec.type == "route" and shifts[0].error:
            name, error = shifts[0].member.plan.name, shifts[0].error
            raise self._session.fail(f"{name}, to whom the team gave the task, failed: {error}", "agent_error")
        if len(shifts) == 1:
            return f"Error: {shifts[0].error}" if shifts[0].error else self._answer(shifts[0].member)
        return "\n\n".join(
            f"{shift.member.plan.name}: " + (f"failed: {shift.error}" if shift.error else self._answer(shift.member))
            for shift in shifts
        )

    @staticmethod
    def _answer(member: Part) -> str:
        return member.texts.answer or "(no answer)"

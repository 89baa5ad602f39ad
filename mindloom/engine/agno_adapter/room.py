"""Keeps a conversation inside the model's context window, the way the agent's author chose.

Tokens are guessed, four characters each; where the guess was too good, the provider says so, and room is made then. What is
given up first is what is oldest: earlier runs and the results of tools; the system message and the question always stay.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mindloom.engine.agno_adapter.agno_setup import Message
from mindloom.engine.agno_adapter.reading import CHARACTERS_PER_TOKEN

if TYPE_CHECKING:
    from mindloom.engine.agno_adapter.calls import ModelCalls
    from mindloom.engine.agno_adapter.part import Part

USED = 0.8
"""Of the window, the rest is for the answer and for guessing wrong."""
KEPT_MESSAGES = 2
_SHORTER = 0.6
"""When the provider refused a conversation as too long, it is cut to this part of its length."""
_LONGEST_TOLD = 20_000
LEFT_OUT = "[Left out, to make room.]"
SUMMARISE = (
    "Sum up the following part of a conversation for the one who goes on with it. Keep every fact, name, number, decision and "
    "open question that may still matter. Write plain sentences, at most 300 words."
)


class Room:
    """The window of one part's model."""

    def __init__(self, part: Part, calls: ModelCalls) -> None:
        self._part = part
        self._calls = calls
        self._way = part.plan.memory.window
        self._most = 0  # characters, found out when a provider refused
        self._summed_up = 0  # messages after the system message that the summary stands for
        self._summary = ""

    async def fitted(self, messages: list[Message]) -> list[Message]:
        """The messages, fewer or shorter when they would not fit. Raises `EngineError` when they must not be cut."""
        most = self._limit()
        if not most or _size(messages) <= most:
            return messages
        if self._way == "stop":
            raise self._part.fail(
                f"The conversation has become too long for the model: about {_size(messages) // CHARACTERS_PER_TOKEN:,} tokens "
                f"of {self._calls.choice.spec.context_window:,}. Give the agent less to read, or let it make room under Memory.",
                "budget",
            )
        return await self._summarised(messages, most) if self._way == "summarise" else _dropped(messages, most)

    async def make(self, messages: list[Message]) -> bool:
        """The provider found the conversation too long: whether it can be made shorter, and should be sent again."""
        if self._way == "stop":
            return False
        size = min(_size(messages), self._most or _size(messages))
        shorter = int(size * _SHORTER)
        if shorter < _size(_kept(messages)):
            return False
        self._most = shorter
        self._part.log(
            "info", "The conversation was too long for the model; room is made by giving up its oldest part."
        )
        return True

    def _limit(self) -> int:
        window = self._calls.choice.spec.context_window * USED * CHARACTERS_PER_TOKEN
        limits = [int(limit) for limit in (window, self._most) if limit]
        return min(limits, default=0)

    async def _summarised(self, messages: list[Message], most: int) -> list[Message]:
        """The oldest messages as a summary, which is made once and told again from then on."""
        head, rest = _split(messages)
        if not self._summary or _size(self._with_summary(head, rest)) > most:
            upto = max(0, _safe_cut(rest, len(rest) - KEPT_MESSAGES))
            old = rest[self._summed_up : upto]
            if old:
                told = "\n\n".join(f"{message.role}: {str(message.content or '')[:_LONGEST_TOLD]}" for message in old)
                before = f"Summary so far:\n{self._summary}\n\n" if self._summary else ""
                self._summary = await self._calls.ask("room", SUMMARISE, before + told[: max(1000, most)])
                self._summed_up = upto
                self._part.log("info", f"The oldest {upto} messages were summed up, to make room.")
        made = self._with_summary(head, rest)
        return made if _size(made) <= most else _dropped(made, most)

    def _with_summary(self, head: list[Message], rest: list[Message]) -> list[Message]:
        note = Message(role="user", content=f"What happened before, in short:\n{self._summary}")
        return [*head, note, *rest[self._summed_up :]] if self._summary else [*head, *rest]


def _dropped(messages: list[Message], most: int) -> list[Message]:
    """The messages without the oldest, results of tools emptied first, so that calls and results stay together."""
    made = list(messages)
    for place in range(len(made) - KEPT_MESSAGES):
        if _size(made) <= most:
            return made
        if made[place].role == "tool" and len(str(made[place].content)) > len(LEFT_OUT):
            made[place] = made[place].model_copy(update={"content": LEFT_OUT})
    head, rest = _split(made)
    cut = 0
    while cut < len(rest) - 1 and _size([*head, *rest[cut:]]) > most:
        following = _safe_cut(rest, cut + 1, forward=True)
        if following >= len(rest):
            break
        cut = following
    return [*head, *rest[cut:]]


def _split(messages: list[Message]) -> tuple[list[Message], list[Message]]:
    head = [message for message in messages[:1] if message.role in {"system", "developer"}]
    return head, messages[len(head) :]


def _kept(messages: list[Message]) -> list[Message]:
    head, rest = _split(messages)
    return [*head, *rest[-1:]]


def _safe_cut(rest: list[Message], place: int, *, forward: bool = False) -> int:
    """A place near this one that does not part a tool's result from its call."""
    step = 1 if forward else -1
    while 0 < place < len(rest) and rest[place].role == "tool":
        place += step
    return place


def _size(messages: list[Message]) -> int:
    return sum(len(str(message.content or "")) + len(str(message.tool_calls or "")) for message in messages)

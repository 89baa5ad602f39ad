"""Numbers the texts of one agent in a run and says when each is complete."""

from __future__ import annotations

from typing import Any

from mindloom.engine.agno_adapter.outbox import Outbox, TextEvent
from mindloom.engine.events import ContentAdded, ContentCompleted, ReasoningAdded, ReasoningCompleted


class Texts:
    """The blocks of content and of reasoning, each counted from 1. At most one is open."""

    def __init__(self, outbox: Outbox, source: tuple[str, ...], written: tuple[int, int] = (0, 0)) -> None:
        """`written` blocks of content and of reasoning are in the log already, the last perhaps broken off."""
        self._outbox = outbox
        self._written: dict[TextEvent, int] = dict(zip((ContentAdded, ReasoningAdded), written, strict=True))
        self._source = source
        self._kind: TextEvent = ContentAdded
        self._parts: list[str] = []
        self._begun = False
        self._counts: dict[TextEvent, int] = {ContentAdded: 0, ReasoningAdded: 0}
        self._turn: list[str] = []
        self._last = ""

    def add(self, kind: TextEvent, text: str) -> None:
        """Append to the open block, or open one. A block begins with its first visible character."""
        if kind is not self._kind:
            self.close()
            self._kind = kind
        self._parts.append(text)
        if self._begun:
            self._outbox.add_text(kind, self._source, self._counts[kind], text)
        elif not text.isspace():
            self._begun = True
            self._counts[kind] = max(self._counts[kind], self._written[kind]) + 1
            self._outbox.add_text(kind, self._source, self._counts[kind], "".join(self._parts))

    def close(self) -> None:
        """End the open block, if there is one."""
        if self._begun:
            text, block = "".join(self._parts), self._counts[self._kind]
            if self._kind is ContentAdded:
                self._turn.append(text)
                self._outbox.put(ContentCompleted(block=block, text=text, source=self._source))
            else:
                self._outbox.put(ReasoningCompleted(block=block, text=text, source=self._source))
        self._parts.clear()
        self._begun = False

    def end_turn(self) -> None:
        """The model's turn is over: its texts are the answer, unless a later turn writes another."""
        self.close()
        if self._turn:
            self._last = "\n\n".join(self._turn)
            self._turn.clear()

    def state(self) -> list[Any]:
        """How far the counting is, and the answer so far, as JSON values."""
        return [self._counts[ContentAdded], self._counts[ReasoningAdded], self._last]

    def restore(self, state: list[Any]) -> None:
        """Go on from there."""
        self._counts[ContentAdded], self._counts[ReasoningAdded], self._last = state

    @property
    def answer(self) -> str:
        """The text of the last turn that wrote one."""
        return self._last

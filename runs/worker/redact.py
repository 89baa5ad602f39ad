"""Keeps secrets out of what a run leaves behind, by value."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mindloom.engine.events import ContentAdded, ContentCompleted, ReasoningAdded, ReasoningCompleted

if TYPE_CHECKING:
    from mindloom.engine.events import Event

MASK = "•••"
SHORTEST = 6
"""Shorter values are words that may stand anywhere; masking them would tell more than it hides."""


class Redactor:
    """Masks every secret that the run opened, also where it comes in pieces."""

    def __init__(self) -> None:
        self._secrets: list[str] = []
        self._held: dict[tuple[Any, ...], str] = {}

    def add(self, secret: str) -> None:
        """From now on keep this value out."""
        if len(secret) >= SHORTEST and secret not in self._secrets:
            self._secrets.append(secret)
            self._secrets.sort(key=len, reverse=True)

    def text(self, value: str) -> str:
        """`value` with every secret masked."""
        for secret in self._secrets:
            value = value.replace(secret, MASK)
        return value

    def content(self, value: bytes) -> bytes:
        """A file's content with every secret masked."""
        for secret in self._secrets:
            value = value.replace(secret.encode(), MASK.encode())
        return value

    def event(self, event: Event) -> Event:
        """The event with every secret masked. A piece of text may come out shorter; the rest follows with the next one."""
        if not self._secrets:
            return event
        if isinstance(event, ContentAdded | ReasoningAdded):
            return replace(event, text=self._piece((event.source, event.type, event.block), event.text))
        if isinstance(event, ContentCompleted | ReasoningCompleted):
            self._held.pop((event.source, event.type.replace("completed", "added"), event.block), None)
        return replace(event, **{name: self.masked(value) for name, value in event.data().items()})

    def _piece(self, key: tuple[Any, ...], text: str) -> str:
        text = self.text(self._held.pop(key, "") + text)
        keep = max((_overlap(text, secret) for secret in self._secrets), default=0)
        if keep:
            self._held[key] = text[-keep:]
            text = text[:-keep]
        return text

    def masked(self, value: Any) -> Any:
        """A JSON value with every secret masked."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {self.masked(key): self.masked(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return type(value)(self.masked(item) for item in value)
        return value


def _overlap(text: str, secret: str) -> int:
    """How long an end of `text` is that begins `secret`."""
    for length in range(min(len(text), len(secret) - 1), 0, -1):
        if text.endswith(secret[:length]):
            return length
    return 0

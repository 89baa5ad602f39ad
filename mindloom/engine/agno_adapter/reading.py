"""Reads a provider's stream of one request: passes text on, keeps the pieces for Agno, notices silence and excess."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from mindloom.engine.agno_adapter.agno_setup import ModelResponse
from mindloom.engine.events import ContentAdded, ReasoningAdded
from mindloom.engine.plain import whole

if TYPE_CHECKING:
    from mindloom.engine.agno_adapter.part import Part

CHARACTERS_PER_TOKEN = 4
LONGEST_ANSWER_CHARACTERS = 1_000_000
_CERTAINLY_OVER = 2
"""While a text is streamed its tokens are guessed; it is cut only when the guess is over the limit by this factor."""


def tokens_read(kind: str, usage: Any) -> int | None:
    """All tokens that the model read. Anthropic counts what comes from its cache, or goes into it, beside the rest."""
    if usage.input_tokens is None or kind != "anthropic":
        return usage.input_tokens  # type: ignore[no-any-return]
    return int(usage.input_tokens + (usage.cache_read_tokens or 0) + (usage.cache_write_tokens or 0))


class Call:
    """One request to the provider. With a `purpose` it is the platform's own, and its text goes to nobody."""

    def __init__(self, tokens_left: int, *, purpose: str = "") -> None:
        self.started = self.heard = time.monotonic()
        self.first: float | None = None
        self.characters = 0
        self.most_characters = max(1, tokens_left) * CHARACTERS_PER_TOKEN * _CERTAINLY_OVER
        self.usage: Any = None
        self.error = ""
        self.purpose = purpose
        self._longest = 0.0
        self._task: asyncio.Task[Any] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._was_silent = False

    def first_token_ms(self) -> int | None:
        """How long the first token took."""
        return None if self.first is None else as_ms(self.first - self.started)

    def tokens(self) -> int:
        """What the provider counted; where it said nothing, a guess from the length of the answer."""
        if self.usage is None:
            return self.characters // CHARACTERS_PER_TOKEN
        return int((self.usage.input_tokens or 0) + (self.usage.output_tokens or 0))

    def watch(self, longest_seconds: float) -> None:
        """From now on cancel the current task when the provider is silent for so long."""
        self._longest = longest_seconds
        self._task = asyncio.current_task()
        self._timer = asyncio.get_running_loop().call_later(longest_seconds, self._look)

    def unwatch(self) -> None:
        """Let it be silent."""
        if self._timer is not None:
            self._timer.cancel()

    def forgive(self) -> bool:
        """Whether the task was cancelled because of silence; then it may go on."""
        if self._was_silent and self._task is not None:
            self._task.uncancel()
        return self._was_silent

    def _look(self) -> None:
        """Look whether the provider has been silent for too long; look again when it could be."""
        silent = time.monotonic() - self.heard
        if silent < self._longest:
            self._timer = asyncio.get_running_loop().call_later(self._longest - silent, self._look)
        elif self._task is not None:
            self._was_silent = True
            self._task.cancel()


async def read(stream: AsyncIterator[ModelResponse], call: Call, part: Part) -> list[ModelResponse]:
    """Pass text on as it comes, and keep the answer for Agno with neighbouring texts joined."""
    pieces: list[ModelResponse] = []
    parts: list[str] = []
    joined: str | None = None  # the attribute that `parts` belongs to
    texts, now, quiet = part.texts, time.monotonic, bool(call.purpose)
    async for delta in stream:
        call.heard = now()
        text, kind, name = (
            (delta.content, ContentAdded, "content")
            if delta.content
            else (delta.reasoning_content, ReasoningAdded, "reasoning_content")
        )
        if text:
            if not text.isascii() and text != (text := whole(text)):
                setattr(delta, name, text)
            if not quiet:
                texts.add(kind, text)
            call.characters += len(text)
            if call.first is None:
                call.first = call.heard
        if call.characters > LONGEST_ANSWER_CHARACTERS:
            raise _too_long(part)
        if call.characters > call.most_characters:
            raise part.session.budget.over(call.characters // CHARACTERS_PER_TOKEN)
        if text and _is_plain(delta):
            if joined == name:
                parts.append(text)
                continue
            _join(pieces, joined, parts)
            joined, parts = name, [text]
        else:
            _join(pieces, joined, parts)
            joined, parts = None, []
            _note(delta, call, part)
        pieces.append(delta)
    _join(pieces, joined, parts)
    return pieces


def as_ms(seconds: float) -> int:
    """Seconds as whole milliseconds."""
    return round(seconds * 1000)


def _note(delta: ModelResponse, call: Call, part: Part) -> None:
    if delta.tool_calls:
        if not call.purpose:
            part.texts.close()
        if call.first is None:
            call.first = call.heard
    if delta.response_usage is not None:
        call.usage = delta.response_usage  # some servers send it with every piece, counting up: the last one holds


def _too_long(part: Part) -> Exception:
    message = (
        f"The model wrote more than {LONGEST_ANSWER_CHARACTERS:,} characters in one answer, the most that is kept. "
        "Ask for less at a time, or set the longest answer under Model."
    )
    return part.session.fail(message, "budget")


def _is_plain(delta: ModelResponse) -> bool:
    """Whether the piece is text and nothing that Agno must see on its own."""
    return (
        (delta.tool_calls is None or not delta.tool_calls)
        and delta.response_usage is None
        and delta.extra is None
        and delta.citations is None
        and delta.audio is None
    )


def _join(pieces: list[ModelResponse], name: str | None, parts: list[str]) -> None:
    if name is not None and len(parts) > 1:
        setattr(pieces[-1], name, "".join(parts))

"""The way of a run's events from the event loop to the thread that reads them.

The loop never waits here. Pieces of text that the reader has not taken yet are joined, so a slow reader costs memory
for the text and nothing else, and a fast stream wakes the reader some twenty times a second instead of once a token.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime

from mindloom.engine.events import ContentAdded, Event, ReasoningAdded
from mindloom.engine.runner import TICK_SECONDS, Noted

PACE_SECONDS = 0.06
CROWDED = 1000

TextEvent = type[ContentAdded] | type[ReasoningAdded]


class _Pieces:
    """Streamed text of one block that the reader has not taken yet."""

    __slots__ = ("at", "block", "kind", "parts", "source")

    def __init__(self, kind: TextEvent, source: tuple[str, ...], block: int, text: str) -> None:
        self.kind = kind
        self.source = source
        self.block = block
        self.parts = [text]
        self.at = datetime.now(UTC)


class _Kept:
    """Stands behind an event: who comes to it has kept the event."""

    __slots__ = ("_loop", "future")

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.future: asyncio.Future[None] = self._loop.create_future()

    def tell(self) -> None:
        self._loop.call_soon_threadsafe(self._set)

    def _set(self) -> None:
        if not self.future.done():
            self.future.set_result(None)


class Outbox:
    """A queue with one reader. `put`, `add_text` and `close` may be called from any thread."""

    def __init__(self) -> None:
        self._items: list[Event | Noted | _Pieces | _Kept] = []
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._paced = False
        self._closed = False

    @property
    def closed(self) -> bool:
        """Whether the terminal event is in."""
        return self._closed

    def put(self, *items: Event | Noted) -> None:
        """Hand over what belongs together and wake the reader. After the terminal event nothing is accepted."""
        with self._lock:
            if not self._closed:
                self._items += items
        self._wake.set()

    async def put_and_keep(self, event: Event) -> None:
        """Hand over an event and come back when the reader has kept it, which it says by asking for the next.

        After the terminal event, or when the reader has gone, it never comes back: the caller is being cancelled.
        """
        kept = _Kept()
        with self._lock:
            if not self._closed:
                self._items += (event, kept)
        self._wake.set()
        await kept.future

    def put_patiently(self, event: Event) -> None:
        """Like `put`, but wait while the reader is far behind. For threads of tools, never for the loop."""
        while len(self._items) >= CROWDED and not self._closed:
            time.sleep(PACE_SECONDS)
        self.put(event)

    def add_text(self, kind: TextEvent, source: tuple[str, ...], block: int, text: str) -> None:
        """Hand over a piece of text. The first piece wakes the reader; while it reads a stream, it looks by itself."""
        with self._lock:
            if self._closed:
                return
            for item in reversed(self._items):
                if type(item) is not _Pieces:
                    break
                # Members of a team write at the same time: their pieces lie between each other, and each finds its own.
                if item.kind is kind and item.block == block and item.source == source:
                    item.parts.append(text)
                    return
            self._items.append(_Pieces(kind, source, block, text))
        if not self._paced:
            self._wake.set()

    def close(self, terminal: Event, *notes: Noted) -> bool:
        """Hand over the last event, and notes before it. False when the outbox was closed before."""
        with self._lock:
            if self._closed:
                return False
            self._items += (*notes, terminal)
            self._closed = True
        self._wake.set()
        return True

    def __iter__(self) -> Iterator[Event | Noted | None]:
        spoke_at = time.monotonic()
        while True:
            self._wake.wait(PACE_SECONDS if self._paced else TICK_SECONDS)
            with self._lock:
                items, self._items = self._items, []
                closed = self._closed
                self._wake.clear()
                self._paced = any(type(item) is _Pieces for item in items)
            for item in items:
                if type(item) is _Kept:
                    item.tell()
                else:
                    yield self._event(item) if type(item) is _Pieces else item  # type: ignore[misc]
            if closed:
                return
            if items:
                spoke_at = time.monotonic()
            elif time.monotonic() - spoke_at >= TICK_SECONDS - PACE_SECONDS:
                spoke_at = time.monotonic()
                yield None

    @staticmethod
    def _event(pieces: _Pieces) -> Event:
        return pieces.kind(block=pieces.block, text="".join(pieces.parts), at=pieces.at, source=pieces.source)

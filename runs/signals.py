"""Telling others that a run changed: the one upward signal, and a doorbell without data for live readers.

PostgreSQL is the log. The bell only says "look"; when Redis is away nothing is lost, readers look every few seconds anyway.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from typing import TYPE_CHECKING

from channels.layers import get_channel_layer
from django.db import transaction
from django.dispatch import Signal

if TYPE_CHECKING:
    from runs.models import Run

logger = logging.getLogger(__name__)

run_changed = Signal()
"""Sent on commit with `run_id`, when a run's state changed. Receivers read the run themselves; docs/architecture.md lists them."""

RING_SECONDS = 2.0


def group_of(run_uuid: object) -> str:
    """The channel group of a run's live readers."""
    return f"run.{run_uuid}"


def announce(run: Run) -> None:
    """After the transaction commits, tell everybody that the run's state changed, and ring."""

    def tell() -> None:
        run_changed.send_robust(sender=None, run_id=run.pk)
        ring(run.uuid)

    transaction.on_commit(tell)


def ring(run_uuid: object) -> None:
    """Ring the run's bell soon, from any thread; never blocks and never fails."""
    _bell.ring(group_of(run_uuid))


class _Bell:
    """One event loop in a thread of its own, so that ringing costs the caller nothing and reuses one connection."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiting: set[str] = set()

    def ring(self, group: str) -> None:
        with self._lock:
            if group in self._waiting:
                return
            self._waiting.add(group)
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                threading.Thread(target=self._loop.run_forever, name="bell", daemon=True).start()
            self._loop.call_soon_threadsafe(self._begin, group)

    def _begin(self, group: str) -> None:
        with self._lock:
            self._waiting.discard(group)
        task = asyncio.ensure_future(self._send(group))
        task.add_done_callback(lambda done: done.cancelled() or done.exception())

    async def _send(self, group: str) -> None:
        try:
            await asyncio.wait_for(get_channel_layer().group_send(group, {"type": "run.rang"}), RING_SECONDS)
        except Exception as error:  # noqa: BLE001 -- the bell is a hint; readers look by themselves when it stays silent
            logger.debug("The bell of %s stayed silent: %s", group, error)


_bell = _Bell()

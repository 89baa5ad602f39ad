"""Following runs: one tail for each watched run in this process, however many people watch.

A tail reads new rows when the run's bell rings, or every few seconds without it, and hands the same batch to everybody. A reader
first joins the tail, then reads from the log what it has not seen up to there; so catching up and following are one path.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from channels.db import database_sync_to_async
from channels.layers import get_channel_layer

from mindloom import wall
from mindloom.engine.events import TERMINAL_TYPES
from runs.models import Run, RunEvent, State
from runs.signals import group_of

logger = logging.getLogger(__name__)

BATCH = 500
LOOK_SECONDS = 5.0
BEHIND_MAX = 200
"""Batches that a slow reader may be behind; past that it reads from the log again."""

_STATES = {
    "run.queued": "queued",
    "run.started": "running",
    "run.waiting": "waiting",
    "run.resumed": "queued",
    "run.completed": "completed",
    "run.failed": "failed",
    "run.cancelled": "cancelled",
}


@dataclass(frozen=True, eq=False)
class Batch:
    """The events that follow event `before`. What is sent of them is made once, for all readers."""

    rows: tuple[RunEvent, ...]
    before: int = 0

    @property
    def last(self) -> int:
        """The sequence number of the last event."""
        return self.rows[-1].seq

    @property
    def is_terminal(self) -> bool:
        """Whether the run ended with it."""
        return self.rows[-1].type in TERMINAL_TYPES

    @cached_property
    def state(self) -> str:
        """The state that the run has after the batch; empty when it says nothing about that."""
        return next((_STATES[row.type] for row in reversed(self.rows) if row.type in _STATES), "")

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """The events as the API shows them, as JSON: what every kind of stream sends of them."""
        return tuple(json.dumps(event_json(row)) for row in self.rows)

    def after(self, seq: int) -> Batch | None:
        """The part that follows `seq`, or None."""
        if self.rows[0].seq > seq:
            return self
        rows = tuple(row for row in self.rows if row.seq > seq)
        return Batch(rows, seq) if rows else None


def event_json(row: RunEvent) -> dict[str, Any]:
    """One event as the API shows it."""
    return {
        "seq": row.seq,
        "at": row.at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "type": row.type,
        "source": row.source,
        "data": row.data,
    }


def read_after(run: Run, seq: int, limit: int = BATCH) -> list[RunEvent]:
    """At most `limit` events of the run that follow `seq`, oldest first; committed ones, from PostgreSQL."""
    with wall.tenant([run.department_id]):
        return list(RunEvent.objects.filter(run_id=run.pk).after(seq)[:limit])


def _read_again(run: Run) -> Run:
    """The run as it stands now, as far as following it needs."""
    with wall.tenant([run.department_id]):
        return Run.objects.only("uuid", "department_id", "state", "last_seq").get(pk=run.pk)


read_page = _read = database_sync_to_async(read_after)
_again = database_sync_to_async(_read_again)


async def follow(run: Run, after: int, *, until_waits: bool = False) -> AsyncIterator[Batch | None]:
    """The run's events that follow `after`, until it has ended; None now and then while nothing happens.

    With `until_waits` only until people must decide, which may take days. An `after` beyond the log's end is its end.
    """
    if after > run.last_seq:
        run = await _again(run)
    cursor = min(after, run.last_seq)
    waits = run.state == State.WAITING
    # Most of the log, and all of a finished one, is read without a tail.
    async for batch in _written(run, cursor):
        cursor = batch.last
        waits = batch.state == State.WAITING if batch.state else waits
        yield batch
        if batch.is_terminal:
            return
    if run.is_terminal or (until_waits and waits):
        return
    tail = _tail_of(run, cursor)
    queue = tail.join()
    try:
        while True:
            async for part in _written_then_live(run, cursor, queue):
                if part is not None:
                    cursor = part.last
                yield part
                if part is not None and (part.is_terminal or (until_waits and part.state == State.WAITING)):
                    return
            queue = tail.join(queue)
    finally:
        tail.leave(queue)


async def _written(run: Run, cursor: int) -> AsyncIterator[Batch]:
    while rows := await _read(run, cursor):
        batch = Batch(tuple(rows), cursor)
        cursor = batch.last
        yield batch


async def _written_then_live(run: Run, cursor: int, queue: _Queue) -> AsyncIterator[Batch | None]:
    """Ends when the log has to be read again, because the reader fell behind."""
    async for batch in _written(run, cursor):
        cursor = batch.last
        yield batch
    while True:
        try:
            batch = await asyncio.wait_for(queue.get(), LOOK_SECONDS)
        except TimeoutError:
            yield None
            continue
        if batch is _OVERRUN or batch.rows[0].seq > cursor + 1:
            return
        if part := batch.after(cursor):
            cursor = part.last
            yield part


_OVERRUN = Batch(())
_Queue = asyncio.Queue[Batch]


class _Tail:
    """Follows one run for all its readers in this process."""

    def __init__(self, run: Run, tails: dict[int, _Tail], after: int) -> None:
        """Begin where the first reader is: what is written before the first look is handed over by it."""
        self._run = run
        self._tails = tails
        self._queues: set[_Queue] = set()
        self._last = after
        self._rang = asyncio.Event()
        self._task = asyncio.create_task(self._follow(), name=f"tail of run {run.pk}")

    def join(self, instead_of: _Queue | None = None) -> _Queue:
        self._queues.discard(instead_of)  # type: ignore[arg-type]
        queue: _Queue = asyncio.Queue(BEHIND_MAX + 1)
        self._queues.add(queue)
        return queue

    def leave(self, queue: _Queue) -> None:
        self._queues.discard(queue)
        if not self._queues:
            self._tails.pop(self._run.pk, None)
            self._task.cancel()

    async def _follow(self) -> None:
        bell = asyncio.create_task(self._listen(), name=f"bell of run {self._run.pk}")
        try:
            while True:
                self._rang.clear()
                try:
                    await self._look()
                except Exception as error:  # noqa: BLE001 -- the database may be away; the next look finds everything
                    logger.warning("Run %s can't be read now: %s", self._run.pk, error)
                    await asyncio.sleep(1)
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._rang.wait(), LOOK_SECONDS)
        finally:
            bell.cancel()

    async def _look(self) -> None:
        while rows := await _read(self._run, self._last):
            batch = Batch(tuple(rows), self._last)
            self._last = batch.last
            for queue in list(self._queues):
                self._hand_over(queue, batch)
            if len(rows) < BATCH:
                return

    def _hand_over(self, queue: _Queue, batch: Batch) -> None:
        if queue.qsize() < BEHIND_MAX:
            queue.put_nowait(batch)
            return
        # Too slow: it gets no more, and reads the rest from the log.
        self._queues.discard(queue)
        queue.put_nowait(_OVERRUN)

    async def _listen(self) -> None:
        while not _is_cancelled():
            try:
                layer = get_channel_layer()
                channel = await layer.new_channel()
                try:
                    await layer.group_add(group_of(self._run.uuid), channel)
                    while not _is_cancelled():
                        await layer.receive(channel)
                        self._rang.set()
                finally:
                    with suppress(Exception):
                        await layer.group_discard(group_of(self._run.uuid), channel)
            except Exception as error:  # noqa: BLE001 -- Redis may be away; the regular look goes on meanwhile
                logger.info("No bell for run %s: %s", self._run.pk, error)
                if not _is_cancelled():
                    await asyncio.sleep(1)


def _is_cancelled() -> bool:
    """Whether this task was told to end; the Redis client may take the telling for a time-out of its own."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


_by_loop: dict[asyncio.AbstractEventLoop, dict[int, _Tail]] = {}


def _tail_of(run: Run, after: int) -> _Tail:
    """The run's tail in this event loop; it ends with its last reader."""
    loop = asyncio.get_running_loop()
    for closed in [one for one in _by_loop if one.is_closed()]:
        del _by_loop[closed]
    tails = _by_loop.setdefault(loop, {})
    if run.pk not in tails:
        tails[run.pk] = _Tail(run, tails, after)
    return tails[run.pk]

"""One event loop for the process, in a thread of its own, and threads for what blocks.

Model clients hold connections that belong to one loop, so all runs of a process share it. It starts with the first run,
hence after any fork; a forked child forgets its parent's.
"""

from __future__ import annotations

import asyncio
import contextvars
import os
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

MAX_TOOL_THREADS = 64

T = TypeVar("T")


class LoopThread:
    """Starts its event loop when it is first needed."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Drop the loop without stopping it: after a fork its thread does not exist here."""
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tool_slots: asyncio.Semaphore | None = None

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Run a coroutine on the loop. It must deal with its own errors."""
        asyncio.run_coroutine_threadsafe(work, self._running())

    def call(self, function: Callable[..., object], *arguments: object) -> None:
        """Call a function on the loop, soon."""
        self._running().call_soon_threadsafe(function, *arguments)

    async def in_thread(self, function: Callable[[], T]) -> T:
        """Await a blocking function, which runs in a daemon thread with the caller's context variables.

        Not a thread pool: when the run is cancelled the function may go on for ever, and must then neither block the
        exit of the process nor be waited for. Its slot is free when it really ends.
        """
        loop = asyncio.get_running_loop()
        slots = self._slots()
        await slots.acquire()
        future: asyncio.Future[T] = loop.create_future()
        context = contextvars.copy_context()

        def settle(result: T | None, error: BaseException | None) -> None:
            slots.release()
            if future.cancelled():
                return
            if error is not None:
                future.set_exception(error)
            else:
                future.set_result(result)  # type: ignore[arg-type]

        def work() -> None:
            try:
                result = context.run(function)
            except BaseException as error:  # noqa: BLE001 - the awaiting coroutine gets it
                loop.call_soon_threadsafe(settle, None, error)
            else:
                loop.call_soon_threadsafe(settle, result, None)

        threading.Thread(target=work, name="mindloom-tool", daemon=True).start()
        return await future

    def _slots(self) -> asyncio.Semaphore:
        if self._tool_slots is None:
            self._tool_slots = asyncio.Semaphore(MAX_TOOL_THREADS)
        return self._tool_slots

    def _running(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                threading.Thread(target=self._loop.run_forever, name="mindloom-engine", daemon=True).start()
            return self._loop


LOOP = LoopThread()
os.register_at_fork(after_in_child=LOOP.forget)

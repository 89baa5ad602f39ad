"""One thread a worker process that speaks for all its runs: heart-beats out, stop requests in, with one statement a beat."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import DatabaseError, connection

from mindloom import wall
from mindloom.wall.pool import give_back

if TYPE_CHECKING:
    from mindloom.engine.runner import RunHandle

logger = logging.getLogger(__name__)

BEAT_SECONDS = 0.5
_BEAT = """
UPDATE runs_run SET heartbeat_at = now() WHERE id = ANY(%s) AND state = 'running'
RETURNING id, fence, cancel_requested_at IS NOT NULL, cancel_message
"""
GIVEN_AWAY = "The run was given up here."


@dataclass
class _Watched:
    fence: int
    handle: RunHandle
    interrupted: str = ""


class Steward:
    """Knows the runs that this process carries out."""

    def __init__(self) -> None:
        self._runs: dict[int, _Watched] = {}
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None

    def watch(self, run_id: int, fence: int, handle: RunHandle) -> None:
        """Beat for this run until `leave`."""
        with self._lock:
            self._runs[run_id] = _Watched(fence, handle)
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._beat_for_ever, name="steward", daemon=True)
                self._thread.start()
        self._wake.set()

    def leave(self, run_id: int, fence: int) -> str:
        """The run ended here. Returns the sentence of `interrupt`, if the run ended by it."""
        with self._lock:
            watched = self._runs.get(run_id)
            if watched is None or watched.fence != fence:
                return ""
            del self._runs[run_id]
            return watched.interrupted

    def interrupt(self, message: str) -> int:
        """The process is going down: end every run with this sentence. Returns how many there are."""
        with self._lock:
            watched = list(self._runs.values())
        for one in watched:
            one.interrupted = message
            one.handle.cancel(message)
        return len(watched)

    def _beat_for_ever(self) -> None:
        while True:
            with self._lock:
                watched = dict(self._runs)
            if not watched:
                self._wake.clear()
                with self._lock:
                    idle = not self._runs
                if idle:
                    self._wake.wait()
                continue
            try:
                self._beat(watched)
            except DatabaseError as error:
                logger.warning("No heart-beat, the database is away: %s", error)
            except Exception:
                # The thread speaks for every run of the process: whatever happens, it goes on.
                logger.exception("A heart-beat failed")
            threading.Event().wait(BEAT_SECONDS)

    def _beat(self, watched: dict[int, _Watched]) -> None:
        with wall.system("steward: the runs of this process, whatever their departments"):
            try:
                with connection.cursor() as cursor:
                    cursor.execute(_BEAT, [list(watched)])
                    rows = {row[0]: row[1:] for row in cursor.fetchall()}
            finally:
                give_back()
        for run_id, one in watched.items():
            fence, stop, message = rows.get(run_id, (None, False, ""))
            if fence != one.fence:
                one.handle.cancel(GIVEN_AWAY)
            elif stop:
                one.handle.cancel(message)


steward = Steward()

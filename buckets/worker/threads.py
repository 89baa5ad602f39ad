"""The threads of a process that work on files: few, so that runs beside them hardly notice."""

from __future__ import annotations

import logging
import threading

from django.db import connection

from buckets.worker import pipeline
from buckets.worker.fetching import fetch_all, source_waits
from buckets.worker.pipeline import stopping, work

logger = logging.getLogger(__name__)

MOST_THREADS = 2
_free = threading.BoundedSemaphore(MOST_THREADS)


def begin() -> None:
    """Have one more thread work on files, unless there are as many as may be."""
    if not stopping.is_set() and _free.acquire(blocking=False):
        # No daemon: when the process ends, what is under way is let go first.
        threading.Thread(target=_work, name="documents").start()


def waiting() -> bool:
    """Whether there is a file or an address that nobody works on."""
    return pipeline.waiting() or source_waits()


def stop() -> None:
    """Let go of what is under way; another process takes it."""
    stopping.set()


def _work() -> None:
    more = False
    try:
        fetch_all()
        work()
    except Exception:
        # The database may be away; the files wait in it, and the scheduler knows.
        logger.exception("Files could not be worked on")
    finally:
        _free.release()
    try:
        # A message that came in this moment found no free place.
        more = waiting()
    except Exception:
        logger.exception("Nobody knows whether files wait")
    finally:
        connection.close()
    if more:
        begin()

"""What a worker does with a message: it carries out runs, the one whose turn it is each time, until nothing may start."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from django.conf import settings

from runs.models import Executor, Priority
from runs.worker.claim import claim_next
from runs.worker.execute import carry_out
from runs.worker.pods import submit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mindloom.engine.runner import Runner
    from runs.models import Run

LONGEST_SECONDS = 600.0
"""After so long a message counts as done and another one takes its place, well before the broker would give it away again."""


class Slots:
    """How many runs this process may carry. Runs in the background leave some free for people."""

    def __init__(self) -> None:
        self._claiming = threading.Lock()
        self._background = 0
        self._closed = False

    @property
    def is_closed(self) -> bool:
        """Whether the worker takes nothing more."""
        return self._closed

    def close(self) -> None:
        """Take nothing more: the worker is told to stop."""
        self._closed = True

    @contextmanager
    def next(self) -> Iterator[tuple[Run, int] | None]:
        """The next run with its fence, in its slot for the time of the block; None when nothing may start."""
        with self._claiming:  # one after the other, so that they do not queue for the same lock with a connection each
            most = settings.WORKER_CONCURRENCY - settings.WORKER_RESERVED_FOR_PEOPLE
            claimed = None if self._closed else claim_next(background=self._background < most)
            in_background = claimed is not None and claimed[0].priority < Priority.PEOPLE
            self._background += in_background
        try:
            yield claimed
        finally:
            with self._claiming:
                self._background -= in_background


slots = Slots()


def work(runner: Runner | None = None) -> bool:
    """Carry out runs one after the other until nothing may start now. True when it ended before, and others should go on."""
    began, done = time.monotonic(), 0
    while time.monotonic() - began < LONGEST_SECONDS:
        with slots.next() as claimed:
            if claimed is None:
                return slots.is_closed and done > 0
            if claimed[0].executor == Executor.KUBERNETES:
                submit(*claimed)
            else:
                carry_out(*claimed, runner)
        done += 1
    return True

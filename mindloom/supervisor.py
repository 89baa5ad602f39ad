"""Runs Mindloom's processes together: prefixed logs, restarts, and an end that leaves nothing behind."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

CALM_SECONDS = 10.0
"""A process that lived this long had started; one that dies sooner waits longer and longer before it is started again."""
WAITS = (0.5, 1, 2, 5, 10)
APART_SECONDS = 1.0
"""Between the first starts: loading all at once makes each slow, and people wait for the first, the pages."""
COLOURS = ("\033[36m", "\033[33m", "\033[32m", "\033[35m")

_PR_SET_PDEATHSIG = 1
_prctl = getattr(ctypes.CDLL(None), "prctl", None)


def end_with_parent() -> None:
    """In a child before its program starts: be told to end when the parent dies, however it dies. Only Linux can."""
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    if _prctl is not None:
        _prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


@contextmanager
def undisturbed() -> Iterator[None]:
    """Hear signals only after the block: a child that starts in it, with `end_with_parent`, is known before anybody is stopped."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM, signal.SIGHUP))
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@dataclass
class _Process:
    name: str
    command: Sequence[str]
    colour: str
    child: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    failures: int = 0
    due_at: float = field(default_factory=time.monotonic)


class Supervisor:
    """Starts commands, starts them again when they end, and stops them all on SIGINT or SIGTERM."""

    def __init__(
        self, commands: Mapping[str, Sequence[str]], environment: Mapping[str, str], stop_seconds: float
    ) -> None:
        self._stop_seconds = stop_seconds
        self._environment = {**os.environ, **environment, "PYTHONUNBUFFERED": "1"}
        colours = COLOURS if sys.stdout.isatty() else ("",) * len(COLOURS)
        now = time.monotonic()
        self._processes = [
            _Process(name, command, colours[place % len(colours)], due_at=now + place * APART_SECONDS)
            for place, (name, command) in enumerate(commands.items())
        ]
        self._stopping = threading.Event()
        self._print_lock = threading.Lock()

    def run(self) -> None:
        """Supervise until told to stop; every child has ended when this returns."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._stop)
        try:
            while not self._stopping.is_set():
                for process in self._processes:
                    self._look_after(process)
                self._stopping.wait(0.2)
        finally:
            self._end_all()

    def say(self, name: str, text: str, colour: str = "") -> None:
        """Print one line with its prefix."""
        end = "\033[0m" if colour else ""
        with self._print_lock:
            print(f"{colour}{name:<9} |{end} {text}", flush=True)  # noqa: T201 -- it is the supervisor's voice

    def _stop(self, number: int, frame: Any) -> None:
        self._stopping.set()

    def _look_after(self, process: _Process) -> None:
        now = time.monotonic()
        if process.child is None:
            if now >= process.due_at:
                self._start(process)
        elif (code := process.child.poll()) is not None:
            process.failures = 0 if now - process.started_at > CALM_SECONDS else process.failures + 1
            wait = WAITS[min(process.failures, len(WAITS) - 1)]
            process.child, process.due_at = None, now + wait
            self.say(process.name, f"ended with code {code}; it starts again in {wait} s", process.colour)

    def _start(self, process: _Process) -> None:
        process.child = subprocess.Popen(  # noqa: S603 -- our own commands
            process.command,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C is for us; we tell the children
            preexec_fn=end_with_parent,  # noqa: PLW1509 -- one system call, and no lock
        )
        process.started_at = time.monotonic()
        threading.Thread(target=self._copy_lines, args=[process, process.child], daemon=True).start()

    def _copy_lines(self, process: _Process, child: subprocess.Popen[bytes]) -> None:
        assert child.stdout is not None
        for line in child.stdout:
            self.say(process.name, line.decode(errors="replace").rstrip(), process.colour)

    def _end_all(self) -> None:
        for process in self._processes:
            self._tell(process, signal.SIGTERM)
        end = time.monotonic() + self._stop_seconds
        for process in self._processes:
            if process.child is None:
                continue
            try:
                process.child.wait(max(0.1, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                self.say(process.name, "does not stop by itself and is killed", process.colour)
            self._tell(process, signal.SIGKILL)
            process.child.wait()

    @staticmethod
    def _tell(process: _Process, number: signal.Signals) -> None:
        if process.child is None:
            return
        try:
            # The whole group, so that what a child started ends with it.
            os.killpg(process.child.pid, number)
        except ProcessLookupError:
            return

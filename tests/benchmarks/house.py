"""An installation of one benchmark's own: embedded servers on a private folder, real processes, and nothing left of it after."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path
from typing import Any, Self, TypeVar

import psutil

from mindloom import embedded
from mindloom.environment import BASE_DIR

PATIENCE_SECONDS = 300.0
T = TypeVar("T")


def until(condition: Callable[[], T], what: str, seconds: float = PATIENCE_SECONDS, pause: float = 0.05) -> T:
    """Wait for a true answer and return it."""
    end = time.monotonic() + seconds
    while not (answer := condition()):
        if time.monotonic() > end:
            raise RuntimeError(f"Waited {seconds:g} s in vain: {what}")
        time.sleep(pause)
    return answer


class Process:
    """One process in a group of its own, with its output in a file."""

    def __init__(self, name: str, command: Sequence[str], environment: dict[str, str], log: Path) -> None:
        self.name = name
        self.log = log
        with log.open("wb") as output:
            self.popen = subprocess.Popen(
                command,
                env=environment,
                cwd=BASE_DIR,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def output(self) -> str:
        return self.log.read_text(errors="replace")

    def check(self) -> bool:
        """Whether it lives; raises with what it said when it does not."""
        if self.popen.poll() is not None:
            raise RuntimeError(f"{self.name} ended with {self.popen.returncode}:\n{self.output[-4000:]}")
        return True

    def family(self) -> list[psutil.Process]:
        """It and everything it started."""
        own = psutil.Process(self.popen.pid)
        return [own, *own.children(recursive=True)]

    def cpu_seconds(self) -> float:
        """Processor time so far, user and system, of the process alone."""
        times = psutil.Process(self.popen.pid).cpu_times()
        return float(times.user + times.system)

    def stop(self) -> None:
        """End it, kindly first."""
        if self.popen.poll() is not None:
            return
        family = self.family()
        self.popen.terminate()
        try:
            self.popen.wait(25)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait(25)
        for member in family:
            if member.is_running():
                member.kill()


class House:
    """Servers of its own and the processes on them. Enter it before Django is set up: the settings follow from it."""

    def __init__(self, *, servers: bool = True, commit_times: bool = False) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="loom-b-"))
        self.data = self.folder / "data"
        self.processes: list[Process] = []
        self._numbers = count()
        self._servers = embedded.Servers(self.data) if servers else None
        self._commit_times = commit_times

    def __enter__(self) -> Self:
        static = self.folder / "static"
        static.mkdir()
        os.environ.update(
            MINDLOOM_DATA=str(self.data),
            STATIC_ROOT=str(static),
            LOG_LEVEL="WARNING",
            PYTHONUNBUFFERED="1",
            DJANGO_SETTINGS_MODULE="mindloom.settings",
        )
        for name in ("DATABASE_URL", "REDIS_URL", "MINDLOOM_DEBUG"):
            os.environ.pop(name, None)
        try:
            if self._servers is not None:
                self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for process in reversed(self.processes):
            process.stop()
        if self._servers is not None:
            from django.db import connections

            connections.close_all()
            self._servers.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _start(self) -> None:
        assert self._servers is not None
        self._servers.start()
        if self._commit_times:
            self._servers.stop()
            with (self.data / "postgres" / "postgresql.conf").open("a") as conf:
                conf.write("track_commit_timestamp = on\n")
            self._servers.start()
        import django
        from django.core.management import call_command

        django.setup()
        call_command("migrate", verbosity=0, interactive=False)

    def start(self, name: str, command: Sequence[str], **environment: object) -> Process:
        """Start a process on this installation."""
        values = {
            **os.environ,
            "DATABASE_URL": embedded.database_url(self.data),
            "REDIS_URL": embedded.redis_url(self.data),
        }
        values |= {key: str(value) for key, value in environment.items()}
        process = Process(name, command, values, self.folder / f"{next(self._numbers)}-{name}.log")
        self.processes.append(process)
        return process

    def fake_models(self) -> str:
        """The fake model server in a process of its own; its address."""
        process = self.start("fake", [sys.executable, "-m", "tests.fakes.openai_server", "--port", "0"])
        until(lambda: process.check() and process.output.endswith("\n"), "the fake server says its port")
        return f"http://127.0.0.1:{int(process.output)}/v1"

    def worker(self, concurrency: int = 16) -> Process:
        """A worker exactly as `manage.py run` starts it."""
        from mindloom.management.commands.run import commands

        return self.start("worker", commands("127.0.0.1", 0)["worker"], WORKER_CONCURRENCY=concurrency)

    def web(self, port: int) -> Process:
        """A web process exactly as `manage.py run` starts it."""
        from mindloom.management.commands.run import commands

        process = self.start("web", commands("127.0.0.1", port)["web"])
        until(lambda: process.check() and answers(f"http://127.0.0.1:{port}/readyz"), "the web process is ready")
        return process


def answers(url: str) -> bool:
    """Whether a GET is answered well."""
    import httpx

    try:
        return httpx.get(url, timeout=10).status_code == 200
    except httpx.HTTPError:
        return False


def free_port() -> int:
    """A port that nobody uses now."""
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def memory_mb(processes: Sequence[psutil.Process]) -> tuple[float, float]:
    """Their memory: PSS, in which shared pages count once, and RSS; in MB of 10^6 bytes."""
    pss = rss = 0
    for process in processes:
        full: Any = process.memory_full_info()
        pss += full.pss
        rss += full.rss
    return pss / 1e6, rss / 1e6

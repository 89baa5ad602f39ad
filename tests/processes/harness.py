"""Real processes on the tests' servers: started, watched, stopped, and none left behind.

They use the database and the Redis of this pytest process, so a test makes rows with the ORM and looks at what the processes
make of them. `FakeModels`, in a thread of this process, is the provider.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, TypeVar
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import urlopen

import psutil
from django.conf import settings
from django.db import connection
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.sync.client import ClientConnection, connect

from integrations.models import Model, ModelProvider
from mindloom.environment import BASE_DIR
from mindloom.management.commands.run import commands
from runs import services
from runs.models import TERMINAL_STATES, Run
from tests import factories
from tests.conftest import Cast
from tests.fakes.openai_server import FakeModels, Turn

PATIENCE_SECONDS = 90.0
"""How long a wait may last on a busy machine. Never part of what a test says."""
FIRST_START_SECONDS = 300.0
"""As long, where tables, static files and perhaps the demonstration are made, too."""
T = TypeVar("T")


def until(condition: Callable[[], T], what: str, seconds: float = PATIENCE_SECONDS) -> T:
    """Wait for a true answer and return it."""
    end = time.monotonic() + seconds
    while not (answer := condition()):
        if time.monotonic() > end:
            raise AssertionError(f"Waited {seconds:g} s in vain: {what}")
        time.sleep(0.05)
    return answer


def database_url(**changes: str) -> str:
    """The address of the database that this pytest process uses."""
    own = connection.settings_dict
    parts = {
        "dbname": own["NAME"],
        "user": own["USER"],
        "password": own["PASSWORD"],
        "host": own["HOST"],
        "port": own["PORT"],
    }
    return "postgresql:///?" + urlencode({name: value for name, value in (parts | changes).items() if value})


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def silent_address() -> Iterator[str]:
    """Takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/"


def answers(url: str) -> int:
    """The status of a GET; 0 when nobody answers."""
    try:
        with urlopen(url, timeout=10) as answer:
            return int(answer.status)
    except HTTPError as error:
        return error.code
    except (URLError, OSError):
        return 0


class Process:
    """One process of ours, in a group of its own, with its output in a file."""

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

    def says(self, text: str, times: int = 1, seconds: float = PATIENCE_SECONDS) -> Process:
        """Wait until it has said this."""

        def said() -> bool:
            ended = self.popen.poll() is not None
            found = self.output.count(text) >= times
            assert found or not ended, (
                f"{self.name} ended with {self.popen.returncode} before it said {text!r}:\n{self.output}"
            )
            return found

        until(said, f"{self.name} says {text!r}", seconds)
        return self

    def signal(self, number: signal.Signals) -> None:
        """To the process alone."""
        self.popen.send_signal(number)

    def kill(self) -> None:
        """As the kernel does when memory is short."""
        self.popen.kill()
        self.popen.wait(PATIENCE_SECONDS)

    def ends(self) -> int:
        """Wait for its end; the exit code."""
        try:
            return self.popen.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.name} does not end:\n{self.output}") from None

    def clear_away(self) -> None:
        """End it and what it started, whatever state it is in."""
        if self.popen.poll() is None:
            family = [self.popen, *_descendants(self.popen.pid)]
            for member in family:
                _kill(member.pid)
            self.popen.wait(PATIENCE_SECONDS)


def _descendants(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def processes_of(folder: Path) -> list[psutil.Process]:
    """Every process that has this folder in its command line."""
    others = (process for process in psutil.process_iter(["cmdline"]) if process.pid != os.getpid())
    return [process for process in others if any(str(folder) in part for part in process.info["cmdline"] or ())]


@dataclass
class House:
    """Starts the processes of one test."""

    folder: Path
    settings: dict[str, str] = field(default_factory=dict)
    processes: list[Process] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=count)

    def environment(self, **changes: object) -> dict[str, str]:
        """What a process gets; None takes a variable out."""
        basis: dict[str, object] = {
            **os.environ,
            "DATABASE_URL": database_url(),
            "REDIS_URL": settings.REDIS_URL,
            "MINDLOOM_DATA": str(settings.DATA_DIR),
            "LOG_LEVEL": "INFO",
            "PYTHONUNBUFFERED": "1",
            "OUTBOUND_ALLOWED_NETWORKS": "127.0.0.0/8",
            **self.settings,
            **changes,
        }
        return {name: str(value) for name, value in basis.items() if value is not None}

    def start(self, name: str, command: Sequence[str], **changes: object) -> Process:
        log = self.folder / f"{next(self._numbers)}-{name}.log"
        process = Process(name, command, self.environment(**changes), log)
        self.processes.append(process)
        return process

    def worker(self, **changes: object) -> Process:
        """A worker that takes messages when this returns."""
        name = f"worker{next(self._numbers)}@test"
        command = [*commands("127.0.0.1", 0)["worker"], "-n", name]
        command[command.index("warning")] = "info"
        return self.start("worker", command, **changes).says(f"{name} ready.")

    def scheduler(self, **changes: object) -> Process:
        return self.start("scheduler", commands("127.0.0.1", 0)["scheduler"], **changes)

    def web(self, port: int, **changes: object) -> Process:
        """A web process that answers when this returns."""
        process = self.start("web", commands("127.0.0.1", port)["web"], **changes)
        until(
            lambda: answers(f"http://127.0.0.1:{port}/livez") == 200 or process.popen.poll() is not None,
            "the web process answers",
        )
        assert process.popen.poll() is None, process.output
        return process

    def manage(self, *arguments: str, **changes: object) -> subprocess.CompletedProcess[str]:
        """One command, to its end; what it says on both channels is in `stdout`."""
        command = [sys.executable, "manage.py", *arguments]
        return subprocess.run(
            command,
            env=self.environment(**changes),
            cwd=BASE_DIR,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )

    def clear_away(self) -> None:
        for process in self.processes:
            process.clear_away()


@dataclass
class Stage:
    """Somebody who starts agents on models that say what the test wants."""

    cast: Cast
    fake: FakeModels
    _numbers: Iterator[int] = field(default_factory=count)

    def agent(
        self,
        turns: Sequence[Turn],
        *,
        by: str = "turn",
        tools: Sequence[dict[str, Any]] = (),
        place: dict[str, Any] | None = None,
        **limits: int,
    ) -> Any:
        """A published agent whose model answers with these turns. `place` is what its pod gets, where it has one."""
        provider, _ = ModelProvider.objects.get_or_create(
            name="Fake", defaults={"kind": "openai_like", "base_url": self.fake.url}
        )
        name = self.fake.script(f"model-{time.monotonic_ns()}-{next(self._numbers)}", list(turns), by)
        model = Model.objects.create(provider=provider, model_id=name, label=name[:80])
        definition = {"model": str(model.uuid), "tools": list(tools), "limits": factories.DEFINITION["limits"] | limits}
        if place:
            definition["place"] = place
        return factories.agent(self.cast.alice, self.cast.marketing, name=name[:80], definition=definition)

    def start(self, *turns: Turn, by: str = "turn", tools: Sequence[dict[str, Any]] = (), **limits: int) -> Run:
        """Bob starts an agent whose model answers with these turns."""
        return services.start_run(
            actor=self.cast.bob, target=self.agent(turns, by=by, tools=tools, **limits), text="Hello"
        )


SLOW = {"text": [f"word{place} " for place in range(400)], "pace_ms": 100}
"""A model that writes for forty seconds."""
STALLED: Turn = {"end": "never"}
HELLO: Turn = {"text": "Hello."}


def types(run: Run) -> list[str]:
    return list(run.events.order_by("seq").values_list("type", flat=True))


def is_under_way(run: Run, *, events: int = 1) -> bool:
    """Whether a worker has it and has written so much."""
    run.refresh_from_db()
    return run.state == "running" and run.last_seq >= events


def under_way(run: Run, *, events: int = 4) -> Run:
    """Wait until a worker has it and has written something."""
    until(lambda: is_under_way(run, events=events), f"run {run.pk} is under way")
    return run


def ended(run: Run, seconds: float = PATIENCE_SECONDS) -> Run:
    """Wait for the end of the run, and hold its log against what every log must be."""

    def over() -> bool:
        run.refresh_from_db()
        return run.is_terminal

    until(over, f"run {run.pk} ends; it is {run.state}", seconds)
    assert_whole(run)
    return run


def assert_whole(run: Run) -> None:
    """The log counts from one without gaps, has one start at most and exactly one end, which is its last word."""
    run.refresh_from_db()
    seqs, found = list(run.events.order_by("seq").values_list("seq", flat=True)), types(run)
    assert seqs == list(range(1, run.last_seq + 1))
    assert [place for place, kind in enumerate(found, 1) if kind in {f"run.{state}" for state in TERMINAL_STATES}] == [
        run.last_seq
    ]
    assert found[-1] == f"run.{run.state}"
    # A run is taken once, and once more each time that its worker gave it back or vanished, or a person decided.
    assert found.count("run.started") <= 1 + found.count("run.resumed")


class Reader:
    """Somebody who watches a run live, over a websocket, and comes back when the connection breaks."""

    def __init__(self, address: str, cookie: str, run: Run) -> None:
        self.seen: list[int] = []
        self.broke = 0
        self.closed: list[int] = []
        """The codes with which the server closed the socket before the run had ended."""
        self._address = address
        self._cookie = cookie
        self._run = run.uuid
        self._done = threading.Event()
        self._leave = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="reader", daemon=True)
        self._thread.start()

    def reads_to_the_end(self) -> None:
        assert self._done.wait(PATIENCE_SECONDS), f"The reader saw no end; it saw up to {self.seen[-1:]}"

    def leave(self) -> None:
        self._leave.set()
        self._thread.join(PATIENCE_SECONDS)

    def _watch(self) -> None:
        while not (self._leave.is_set() or self._done.is_set()):
            after = self.seen[-1] if self.seen else 0
            try:
                with connect(
                    f"ws://{self._address}/ws/runs/{self._run}/?after={after}",
                    origin=f"http://{self._address}",
                    additional_headers={"Cookie": self._cookie},
                ) as socket:
                    self._read(socket)
            except (OSError, WebSocketException) as error:
                self.broke += 1
                if isinstance(error, ConnectionClosed) and error.rcvd is not None:
                    self.closed.append(error.rcvd.code)
                time.sleep(0.1)

    def _read(self, socket: ClientConnection) -> None:
        while not self._leave.is_set():
            try:
                frame = json.loads(socket.recv(timeout=0.2))
            except TimeoutError:
                continue
            assert frame["t"] != "gone", frame
            self.seen += [line["n"] for line in frame.get("lines", ())]
            if frame.get("terminal"):
                self._done.set()
                return

"""One container as a process of this machine: started, watched, stopped, and what it said."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import shutil
import signal
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from tests.kubernetes.emulator import memory
from tests.kubernetes.emulator.store import now

LOG_BYTES = 10 << 20
"""A kubelet rotates logs at this size; here the oldest lines are dropped."""


@dataclass
class Log:
    """What a container wrote, with the time of each line."""

    lines: list[tuple[str, bytes]] = field(default_factory=list)
    over: asyncio.Event = field(default_factory=asyncio.Event)
    _rest: bytes = b""
    _size: int = 0

    def write(self, chunk: bytes) -> None:
        *whole, self._rest = (self._rest + chunk).split(b"\n")
        for line in whole:
            self._keep(line + b"\n")

    def close(self) -> None:
        if self._rest:
            self._keep(self._rest)
            self._rest = b""
        self.over.set()

    def _keep(self, line: bytes) -> None:
        self.lines.append((datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z"), line))
        self._size += len(line)
        while self._size > LOG_BYTES:
            self._size -= len(self.lines.pop(0)[1])


@dataclass(frozen=True)
class Ended:
    """How a container ended, as `state.terminated` says it."""

    exit_code: int
    reason: str
    started_at: str
    message: str = ""

    def state(self) -> dict[str, object]:
        ended: dict[str, object] = {"exitCode": self.exit_code, "reason": self.reason, "startedAt": self.started_at}
        return {"terminated": ended | {"finishedAt": now()} | ({"message": self.message} if self.message else {})}


@dataclass
class Container:
    """What is to run. `uid` is unique in the cluster."""

    uid: str
    command: list[str]
    cwd: Path
    environment: dict[str, str]
    memory_limit: int | None
    log: Log
    process: asyncio.subprocess.Process | None = None
    started_at: str = ""
    group: memory.Group | None = None

    async def start(self) -> Ended | None:
        """None when it runs."""
        self.started_at = now()
        self.group = memory.make(self.uid, self.memory_limit) if self.memory_limit else None
        command = self.group.argv(self.command) if self.group else self.command
        try:
            if shutil.which(self.command[0], path=self.environment.get("PATH")) is None:
                raise FileNotFoundError(errno.ENOENT, "no such file or directory")
            self.process = await asyncio.create_subprocess_exec(
                *command,
                cwd=self.cwd,
                env=self.environment,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            self.log.close()
            said = f"failed to create containerd task: exec: {self.command[0]}: {error.strerror}"
            return Ended(128, "StartError", "1970-01-01T00:00:00Z", said)
        return None

    async def ended(self) -> Ended:
        """Wait for its end. What it started ends with it, as with process 1 of a container."""
        assert self.process
        reading = asyncio.create_task(self._read())
        code = await self.process.wait()
        self.kill()
        await reading
        self.log.close()
        code = code if code >= 0 else 128 - code
        reason = "Completed" if code == 0 else "Error"
        if self.group:
            if self.group.kills() and code:
                reason = "OOMKilled"
            await asyncio.to_thread(self.group.remove)
        return Ended(code, reason, self.started_at)

    async def _read(self) -> None:
        assert self.process
        assert self.process.stdout
        while chunk := await self.process.stdout.read(65536):
            self.log.write(chunk)

    async def stop(self, grace: float) -> None:
        """SIGTERM to process 1, and after the grace the end of everything."""
        if self.process is None or self.process.returncode is not None:
            return
        if grace > 0:
            with contextlib.suppress(ProcessLookupError):
                self.process.send_signal(signal.SIGTERM)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.process.wait(), grace)
        self.kill()

    def kill(self) -> None:
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)

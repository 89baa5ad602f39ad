"""The whole product as a person gets it: `manage.py run` on a data folder of its own, with the demonstration."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil

from mindloom.embedded import Servers, database_url, redis_url
from mindloom.environment import BASE_DIR
from tests.processes.harness import (
    FIRST_START_SECONDS,
    PATIENCE_SECONDS,
    Process,
    answers,
    free_port,
    processes_of,
    until,
)

OURS = (
    "DATABASE_URL",
    "DATABASE_URL_FILE",
    "REDIS_URL",
    "REDIS_URL_FILE",
    "REDIS_PREFIX",
    "STATIC_ROOT",
    "MINDLOOM_URL",
)
"""Settings of the tests' own process, which the product must not inherit."""


class Product:
    """A running installation. People are named by the first part of their address: `maya`, `ada`."""

    def __init__(self, folder: Path, options: dict[str, str]) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        static = folder / "static"
        static.mkdir()
        environment = self._environment = {name: value for name, value in os.environ.items() if name not in OURS} | {
            "PORT": str(self.port),
            "MINDLOOM_DATA": str(folder),
            "STATIC_ROOT": str(static),
            "OUTBOUND_ALLOWED_NETWORKS": "127.0.0.0/8",
            "PYTHONUNBUFFERED": "1",
            **options,
        }
        self.process = Process(
            "mindloom", [sys.executable, str(BASE_DIR / "manage.py"), "run"], environment, folder / "product.log"
        )
        self._tokens: dict[str, str] = {}
        self._redis: Servers | None = None

    def is_ready(self) -> None:
        """Wait until it says so."""
        self.process.says("Ctrl-C stops everything.", seconds=FIRST_START_SECONDS)
        found = re.findall(r"(\w+)@mindloom\.example +(\S+)", (self.folder / "demo-sign-ins.txt").read_text())
        self.passwords = dict(found)

    def password(self, who: str) -> str:
        return self.passwords[who]

    def api(self, who: str, method: str, path: str, body: Any = None) -> Any:
        """Call the API as a person; what it answers, decoded."""
        if who not in self._tokens:
            given = {"email": f"{who}@mindloom.example", "password": self.password(who)}
            self._tokens[who] = (
                httpx.post(f"{self.url}/api/v1/auth/login", json=given).raise_for_status().json()["access"]
            )
        headers = {"Authorization": f"Bearer {self._tokens[who]}"}
        answer = httpx.request(method, f"{self.url}/api/v1/{path}", json=body, headers=headers, timeout=30)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def forget(self, who: str) -> None:
        """Sign the person in at the API again before the next call: their tokens are over."""
        self._tokens.pop(who, None)

    def agent(self, who: str, name: str, **fields: Any) -> str:
        """A published agent; its uuid."""
        uuid = self.api(who, "POST", "agents", {"name": name, **fields})["uuid"]
        self.api(who, "POST", f"agents/{uuid}/publish", {})
        return uuid

    def run(self, who: str, agent: str, text: str = "Begin.", **variables: Any) -> str:
        """A run that was just started; its uuid."""
        return self.api(who, "POST", "runs", {"agent": agent, "input": text, "variables": variables})["uuid"]

    def long_run(self, who: str, agent: str, events: int) -> str:
        """A run of the agent that has ended and has so many events; its uuid."""
        settings = {
            "DJANGO_SETTINGS_MODULE": "mindloom.settings",
            "DATABASE_URL": database_url(self.folder),
            "REDIS_URL": redis_url(self.folder),
        }
        command = [sys.executable, "-m", "tests.browser.long_run", agent, f"{who}@mindloom.example", str(events)]
        made = subprocess.run(
            command, cwd=BASE_DIR, env=self._environment | settings, capture_output=True, text=True, check=True
        )
        return made.stdout.split()[-1]

    def run_ends(self, who: str, uuid: str) -> dict[str, Any]:
        """Wait for the end of a run; the run."""
        return until(
            lambda: found if (found := self.api(who, "GET", f"runs/{uuid}"))["state"] in ENDS else None,
            f"run {uuid} ends",
        )

    def run_waits(self, who: str, uuid: str) -> dict[str, Any]:
        """Wait until a run asks people; what it asks."""
        return until(
            lambda: found if (found := self.api(who, "GET", f"runs/{uuid}"))["state"] == "waiting" else None,
            f"run {uuid} waits",
        )["approvals"][0]

    def mailed_link(self, part: str) -> str:
        """The last link with this part among the mails, which a fresh installation prints."""
        return until(lambda: re.findall(rf"{self.url}/\S*{part}\S+", self.process.output), f"a mail with {part}")[-1]

    def web_process_dies(self) -> None:
        """As when the kernel kills it. The supervisor starts another."""
        next(one for one in self._family() if "uvicorn" in one.cmdline()).kill()

    def _family(self) -> list[psutil.Process]:
        children = psutil.Process(self.process.popen.pid).children(recursive=True)
        return [one for one in children if one.status() != psutil.STATUS_ZOMBIE]

    def web_process_is_back(self) -> None:
        until(lambda: answers(f"{self.url}/readyz") == 200, "the web process is back")

    def redis_dies(self) -> None:
        """As when the kernel kills it. Nobody starts it again."""
        folder = str(self.folder / "redis")
        family = self._family()
        own = [self._redis._redis.pid] if self._redis and self._redis._redis else []
        found = [one for one in (*family, *map(psutil.Process, own)) if folder in " ".join(one.cmdline())]
        assert found, "there is no Redis"
        for one in found:
            one.kill()
            # Its parent may not ask after it, and then it stays as a zombie.
            until(lambda one=one: not one.is_running() or one.status() == psutil.STATUS_ZOMBIE, "Redis is dead")

    def redis_is_back(self) -> None:
        """Somebody starts it again, on the same files."""
        self._redis = Servers(self.folder)
        self._redis._start_redis()

    def stop(self) -> None:
        if self.process.popen.poll() is None:
            self.process.signal(signal.SIGTERM)
            self.process.popen.wait(PATIENCE_SECONDS)
        if self._redis is not None and self._redis._redis is not None:
            self._redis._redis.kill()
            self._redis._redis.wait(PATIENCE_SECONDS)


ENDS = {"completed", "failed", "cancelled"}


@contextmanager
def running(**options: str) -> Iterator[Product]:
    """A product that is ready, and nothing of it afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="loom-b-"))
    product = Product(folder, options)
    try:
        product.is_ready()
        yield product
        product.stop()
    finally:
        product.process.clear_away()
        left = processes_of(folder)
        for process in left:
            process.kill()
        shutil.rmtree(folder, ignore_errors=True)
    assert not left, f"left behind: {left}"

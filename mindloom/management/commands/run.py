"""`make run`: everything on one machine, one command."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from typing import Any
from urllib.error import URLError

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from mindloom import embedded
from mindloom.environment import BASE_DIR
from mindloom.supervisor import Supervisor, end_with_parent, undisturbed

READY_SECONDS = 90
STOP_SECONDS = 5.0


class Command(BaseCommand):
    help = "Start the embedded servers, migrate, and run web, worker and scheduler until Ctrl-C."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=int(os.environ.get("PORT") or 8000))
        parser.add_argument("--no-demo", action="store_true", help="Leave out the demonstration.")

    def handle(self, *args: Any, **options: Any) -> None:
        host, port = options["host"], options["port"]
        _refuse_busy_port(host, port)
        # Until the supervisor listens, being told to stop is Ctrl-C, so that the servers stop too.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        servers = embedded.Servers(settings.DATA_DIR)
        try:
            servers.start()
            environment = _environment(host, port)
            self._prepare(environment, demo=not options["no_demo"])
            stop_seconds = settings.WORKER_DRAIN_SECONDS + STOP_SECONDS
            supervisor = Supervisor(commands(host, port), environment, stop_seconds)
            threading.Thread(target=self._announce, args=[supervisor, host, port], daemon=True).start()
            supervisor.run()
        except embedded.Busy as error:
            raise CommandError(f"{error} Stop it first, or set MINDLOOM_DATA to another folder.") from None
        except KeyboardInterrupt:
            self.stdout.write("Stopped before it was ready.")
        finally:
            servers.stop()
        self.stdout.write("Stopped.")

    def _prepare(self, environment: dict[str, str], *, demo: bool) -> None:
        """In a process of its own, so that the supervisor stays without Django's applications and their 70 MB."""
        command = [sys.executable, "manage.py", "prepare", *([] if demo else ["--no-demo"])]
        child = None
        try:
            with undisturbed():
                child = subprocess.Popen(  # noqa: S603 -- our own command
                    command,
                    cwd=BASE_DIR,
                    env={**os.environ, **environment},
                    stdin=subprocess.DEVNULL,
                    start_new_session=True,  # Ctrl-C is for us; we tell the child
                    preexec_fn=end_with_parent,  # noqa: PLW1509 -- two system calls, and no lock
                )
            if code := child.wait():
                raise SystemExit(code)
        finally:
            if child is not None and child.poll() is None:
                child.terminate()
                child.wait()

    def _announce(self, supervisor: Supervisor, host: str, port: int) -> None:
        url = f"http://{host}:{port}"
        for _ in range(READY_SECONDS * 5):
            try:
                urllib.request.urlopen(f"{url}/readyz", timeout=5).close()  # noqa: S310 -- our own address
            except (URLError, OSError):
                time.sleep(0.2)
                continue
            for line in ("", f"Mindloom is ready: {url}", *_sign_ins(), "Ctrl-C stops everything.", ""):
                supervisor.say("mindloom", line)
            return
        supervisor.say("mindloom", f"{url} is not ready after {READY_SECONDS} s; what the processes say is above.")


def _sign_ins() -> list[str]:
    path = settings.DATA_DIR / "demo-sign-ins.txt"
    return path.read_text().splitlines() if path.exists() else []


def _refuse_busy_port(host: str, port: int) -> None:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise CommandError(
                f"Port {port} can't be used ({error.strerror}). Choose another: PORT=8001 make run."
            ) from None


def commands(host: str, port: int) -> dict[str, list[str]]:
    """The processes of an installation, by name."""
    python = sys.executable
    return {
        "web": [python, "-m", "uvicorn", "mindloom.asgi:application", "--host", host, "--port", str(port), "--log-level", "warning",
                "--no-access-log", "--timeout-graceful-shutdown", "5", "--lifespan", "off"],
        "worker": [python, "-m", "celery", "--quiet", "-A", "mindloom", "worker", "--loglevel", "warning", "--without-gossip", "--without-mingle"],
        "scheduler": [python, "manage.py", "scheduler"],
    }  # fmt: skip


def _environment(host: str, port: int) -> dict[str, str]:
    """What the children need to find the servers that this process keeps."""
    data = settings.DATA_DIR
    found = {"MINDLOOM_DATA": str(data)}
    if not (os.environ.get("MINDLOOM_URL")):
        found["MINDLOOM_URL"] = f"http://{host}:{port}"
    if not (os.environ.get("DATABASE_URL") or os.environ.get("DATABASE_URL_FILE")):
        found["DATABASE_URL"] = embedded.database_url(data)
    if not (os.environ.get("REDIS_URL") or os.environ.get("REDIS_URL_FILE")):
        found["REDIS_URL"] = embedded.redis_url(data)
    return found

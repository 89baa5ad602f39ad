"""A small journey through a running Mindloom, before it is given to people: exit code 0, or 1 and what went wrong.

    python mindloom/smoke.py http://web:8000

Run as a file, it needs nothing but Python itself. Without SMOKE_TOKEN it knocks at the doors. With a token of the API (or
SMOKE_TOKEN_FILE, the path of a file that holds one) it goes in, and with SMOKE_AGENT, an agent's uuid, it has a run carried out.
"""

from __future__ import annotations

import json
import os
import sys
import time
import urllib.error
import urllib.request
from typing import Any

ANSWER_SECONDS = 75.0
READY_SECONDS = float(os.environ.get("SMOKE_READY_SECONDS", "60"))
RUN_SECONDS = 300.0
ENDED = {"completed", "failed", "cancelled"}


class Refused(Exception):
    """What did not go as it has to."""


class Journey:
    """Asks one address after the other."""

    def __init__(self, base: str, token: str) -> None:
        self._base = base.rstrip("/")
        self._token = token

    def ask(self, path: str, wanted: int, *, body: dict[str, Any] | None = None, signed: bool = False) -> Any:
        """The answer, read as JSON where it is; another status than `wanted` ends the journey."""
        headers = {"Accept": "application/json, text/html", "X-Forwarded-Proto": "https"}
        if signed:
            headers["Authorization"] = f"Bearer {self._token}"
        if body is not None:
            headers |= {"Content-Type": "application/json", "Prefer": "wait=60"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._base + path, data, headers)  # noqa: S310 -- the operator named the address
        try:
            with urllib.request.urlopen(request, timeout=ANSWER_SECONDS) as answer:  # noqa: S310 -- as above
                status, kind, content = answer.status, answer.headers.get("Content-Type", ""), answer.read()
        except urllib.error.HTTPError as error:
            status, kind, content = error.code, error.headers.get("Content-Type", ""), error.read()
        except OSError as error:
            raise Refused(f"{path} does not answer: {error}") from None
        if status != wanted:
            raise Refused(f"{path} answered {status} instead of {wanted}: {content[:300].decode(errors='replace')}")
        return json.loads(content) if "json" in kind else content

    def wait_until_ready(self) -> None:
        """A process that began a moment ago gets a while."""
        until = time.monotonic() + READY_SECONDS
        while True:
            try:
                self.ask("/readyz", 200)
            except Refused:
                if time.monotonic() > until:
                    raise
                time.sleep(1)
            else:
                return

    def knock(self) -> None:
        """It lives, can work, shows the way in, and lets nobody in without a key."""
        self.ask("/livez", 200)
        if b"<form" not in self.ask("/sign-in/", 200):
            raise Refused("/sign-in/ shows no form")
        problem = self.ask("/api/v1/agents", 401)
        if not problem.get("code"):
            raise Refused("/api/v1/agents refuses without saying why")

    def go_in(self) -> None:
        """The token opens the API."""
        self.ask("/api/v1/agents", 200, signed=True)

    def carry_out(self, agent: str) -> None:
        """A run of the agent comes to its end, by whichever worker takes it."""
        until = time.monotonic() + RUN_SECONDS
        started = {"agent": agent, "input": "Say in one sentence that you work."}
        run = self.ask("/api/v1/runs", 201, body=started, signed=True)
        while run["state"] not in ENDED:
            if time.monotonic() > until:
                raise Refused(f"run {run['uuid']} is still {run['state']} after {RUN_SECONDS:.0f} s")
            time.sleep(1)
            run = self.ask(f"/api/v1/runs/{run['uuid']}", 200, signed=True)
        if run["state"] != "completed":
            raise Refused(f"run {run['uuid']} has {run['state']}: {run.get('message') or run.get('reason')}")


def _token() -> str:
    path = os.environ.get("SMOKE_TOKEN_FILE", "")
    if not path:
        return os.environ.get("SMOKE_TOKEN", "")
    with open(path) as file:  # noqa: PTH123 -- pathlib takes longer to import than the journey
        return file.read().strip()


def main(base: str) -> int:
    """Make the journey, and say how far it came."""
    token, agent = _token(), os.environ.get("SMOKE_AGENT", "")
    journey = Journey(base, token)
    try:
        journey.wait_until_ready()
        journey.knock()
        if token:
            journey.go_in()
        if token and agent:
            journey.carry_out(agent)
    except Refused as error:
        sys.stderr.write(f"{base}: {error}\n")
        return 1
    sys.stdout.write(f"{base}: ready, and does what it has to\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8000"))

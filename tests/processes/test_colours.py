"""A new version beside the old one, behind the proxy that ships, under load: nobody notices the switch, nor the way back."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import suppress
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import pytest

from mindloom.environment import BASE_DIR
from runs.models import Run
from tests.processes.harness import SLOW, Reader, answers, ended, free_port, under_way, until

pytestmark = [
    pytest.mark.processes,
    pytest.mark.skipif(shutil.which("caddy") is None, reason="The proxy is missing: apt-get install caddy"),
]

RESTARTED = 1012
"""What a websocket is closed with by a server that goes: come back, somebody is there."""
GOING_ON = SLOW | {"text": ["word "] * 400}


class Colours:
    """What `deploy/bluegreen` works on here: the shipped proxy, and processes in the place of containers."""

    def __init__(self, house, folder):
        self.port, self.folder = free_port(), folder
        self._house = house
        self._proxy_home = {"XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder), "HOME": str(folder)}
        ports = {f"PORT_{colour}": str(free_port()) for colour in ("BLUE", "GREEN")}
        self.environment = house.environment(
            PLATFORM=BASE_DIR / "tests/processes/colours.sh",
            STATE=folder / "state",
            LOGS=folder,
            PYTHON=sys.executable,
            CODE=BASE_DIR,
            STATIC_ROOT=folder / "static",
            SITE=f"http://127.0.0.1:{self.port}",
            WORKER_DRAIN_SECONDS=1,
            CADDY_ADMIN=f"127.0.0.1:{free_port()}",
            **ports,
            **self._proxy_home,
        )
        upstream = {"UPSTREAM": f"127.0.0.1:{ports['PORT_BLUE']}"}
        command = ["caddy", "run", "--config", str(BASE_DIR / "deploy/proxy/Caddyfile"), "--adapter", "caddyfile"]
        house.start("proxy", command, **self.environment, **upstream)

    def call(self, *arguments, **changes):
        """Run the script; its status and all that it said."""
        done = subprocess.run(
            [str(BASE_DIR / "deploy/bluegreen"), *arguments],
            env=self.environment | changes,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=240,
            check=False,
        )
        return done.returncode, done.stdout

    def does(self, *arguments):
        code, said = self.call(*arguments)
        assert code == 0, said
        return said

    def answers(self):
        return answers(f"http://127.0.0.1:{self.port}/readyz")

    def clear_away(self):
        for path in self.folder.glob("*.pid"):
            with suppress(ProcessLookupError, ValueError):
                os.killpg(int(path.read_text()), signal.SIGKILL)


@pytest.fixture
def colours(house):
    made = Colours(house, house.folder)
    yield made
    made.clear_away()


class Load:
    """People and scripts who ask all the time, each request by a connection of its own; counts what they were answered."""

    def __init__(self, port, cookie, agent):
        self.statuses: Counter[str] = Counter()
        self.runs: list[str] = []
        self._base, self._cookie, self._agent = f"http://127.0.0.1:{port}", cookie, agent
        self._stop = threading.Event()
        asking = [self._read] * 4 + [self._write]
        self._threads = [threading.Thread(target=ask, daemon=True) for ask in asking]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        for thread in self._threads:
            thread.join(60)

    def _ask(self, path, body=None):
        headers = {"Cookie": self._cookie, "Accept": "application/json"}
        if body is not None:
            csrf = "k" * 32
            headers |= {"Content-Type": "application/json", "X-CSRFToken": csrf, "Origin": self._base}
            headers["Cookie"] += f"; mindloom_csrf={csrf}"
        request = Request(self._base + path, None if body is None else json.dumps(body).encode(), headers)
        try:
            with urlopen(request, timeout=30) as answer:
                content = answer.read()
                self.statuses[str(answer.status)] += 1
                return content
        except HTTPError as error:
            self.statuses[f"{path} {error.code} {error.read()[:200]!r}"] += 1
        except (URLError, OSError) as error:
            self.statuses[f"{path} {error!r}"] += 1
        return b"{}"

    def _read(self):
        while not self._stop.is_set():
            for path in ("/livez", "/runs/", "/api/v1/runs"):
                self._ask(path)
            time.sleep(0.05)

    def _write(self):
        while not self._stop.is_set():
            made = json.loads(self._ask("/api/v1/runs", {"agent": self._agent, "input": "Go on."}) or b"{}")
            self.runs += [made["uuid"]] if "uuid" in made else []
            time.sleep(0.5)


@pytest.fixture
def begun(colours, stage, client_as):
    """Blue serves people."""
    state = colours.folder / "state"
    state.mkdir()
    (state / "active").write_text("green\n")
    colours.does("deploy", "release-1")
    assert "blue: release-1, which people see" in colours.does("status")
    until(lambda: colours.answers() == 200, "the proxy leads to blue")
    return client_as(stage.cast.bob).cookies.output(header="", sep=";").split(";")[0].strip()


def test_nothing_is_lost_through_switch_and_way_back(colours, stage, begun):
    quick = stage.agent([{"text": "Done."}])
    with Load(colours.port, begun, str(quick.uuid)) as load:
        runs = [under_way(stage.start(GOING_ON)) for _ in range(3)]
        readers = [Reader(f"127.0.0.1:{colours.port}", begun, run) for run in runs]
        until(lambda: all(reader.seen for reader in readers), "the logs are live")

        colours.does("deploy", "release-2")
        time.sleep(2)
        colours.does("rollback")
        time.sleep(2)
        assert "blue: release-1, which people see" in colours.does("status")
        colours.does("deploy", "release-3")
        colours.does("retire")
        time.sleep(1)
    for run in [*runs, *Run.objects.filter(uuid__in=load.runs)]:
        ended(run)
        assert run.state == "completed", run.reason_message
    for reader, run in zip(readers, runs, strict=True):
        reader.reads_to_the_end()
        assert reader.seen == list(range(1, run.last_seq + 1))

    assert set(load.statuses) == {"200", "201"}, load.statuses
    assert load.statuses["200"] > 200
    assert len(load.runs) > 5
    assert {code for reader in readers for code in reader.closed} <= {RESTARTED, 1001, 1006}
    assert "blue: off" in colours.does("status")


def test_a_version_that_does_not_get_ready_is_ended_and_nobody_was_sent_there(colours, stage, begun):
    code, said = colours.call("deploy", "broken", SMOKE_READY_SECONDS="5")

    assert code == 1
    assert "green does not do what it has to, and was ended. People stay with blue." in said
    assert colours.answers() == 200
    assert "green: off" in colours.does("status")


def test_where_nothing_is_to_go_back_to_is_said(colours, stage, begun):
    code, said = colours.call("rollback")

    assert (code, "so there is nothing to go back to" in said) == (1, True)
    assert colours.call("unknown")[0] == 2


def test_a_web_process_that_ends_tells_live_logs_to_come_back(house, stage, live):
    house.worker()
    run = under_way(stage.start(GOING_ON | {"text": ["word "] * 60}))
    reader = live(run)
    until(lambda: reader.seen, "the log is live")
    live.process.signal(signal.SIGTERM)
    live.process.ends()
    house.web(live.port)
    ended(run)
    reader.reads_to_the_end()

    assert reader.closed == [RESTARTED]
    assert reader.seen == list(range(1, run.last_seq + 1))

"""Fixtures of the tests that start real processes."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest

from mindloom import wall
from runs.models import Run
from tests import servers
from tests.fakes.openai_server import FakeModels
from tests.processes.harness import House, Reader, Stage, free_port, processes_of


@contextmanager
def _house():
    folder = Path(tempfile.mkdtemp(prefix="loom-p-"))
    made = House(folder)
    yield made
    made.clear_away()
    left = processes_of(folder)
    shutil.rmtree(folder, ignore_errors=True)
    assert not left, f"left behind: {left}"


@pytest.fixture
def house(transactional_db):
    """Starts processes on the tests' database and Redis; shows what they said when the test fails."""
    with _house() as made:
        yield made


@pytest.fixture(scope="module")
def empty_house():
    """The same for processes that need nothing of ours, shared by the tests of a module."""
    with _house() as made:
        yield made


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    if report.failed:
        houses = [value for value in getattr(item, "funcargs", {}).values() if isinstance(value, House)]
        shown = [one for house in houses for one in house.processes if one.log.exists()]
        report.sections += [(f"{one.name}: {one.log.name}", one.output[-8000:]) for one in shown]


@pytest.fixture(scope="session")
def fake():
    with FakeModels() as models:
        yield models


@pytest.fixture
def stage(transactional_db, fake, cast):
    """The cast, with models that say what the test wants. The test sees every department."""
    with wall.system("tests: look behind the scenes"):
        yield Stage(cast, fake)


@pytest.fixture
def live(house, stage, client_as):
    """Bob watches a run live. The web process is `live.process`."""
    port = free_port()
    cookie = client_as(stage.cast.bob).cookies.output(header="", sep=";").split(";")[0].strip()
    readers: list[Reader] = []

    def watch(run: Run) -> Reader:
        readers.append(Reader(f"127.0.0.1:{port}", cookie, run))
        return readers[-1]

    watch.port = port
    watch.cookie = cookie
    watch.process = house.web(port)
    yield watch
    for reader in readers:
        reader.leave()


@pytest.fixture(scope="module")
def _worker(django_db_setup, django_db_blocker, empty_house):
    with django_db_blocker.unblock():
        return empty_house.worker()


@pytest.fixture
def worker(stage, _worker):
    """A worker that the tests of a module share, so each also shows that the one before did no harm."""
    yield _worker
    assert _worker.popen.poll() is None


class Redis:
    """The tests' own Redis process."""

    def kill(self) -> None:
        process = servers.embedded_servers._redis
        process.kill()
        process.wait()

    def start(self) -> None:
        servers.embedded_servers._start_redis()


@pytest.fixture
def redis_process():
    """Redis as something that can die; it lives again afterwards."""
    if servers.embedded_servers is None or servers.embedded_servers._redis is None:
        pytest.skip("REDIS_URL names a server that is not ours to kill")
    redis = Redis()
    yield redis
    if servers.embedded_servers._redis.poll() is not None:
        redis.start()

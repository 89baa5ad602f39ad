"""`manage.py run`: everything on one machine, one command."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from mindloom.environment import BASE_DIR
from tests.processes.harness import FIRST_START_SECONDS, Process, answers, free_port, processes_of, until

pytestmark = pytest.mark.processes

# An installation of its own: embedded servers in its own folder, nothing of this pytest process.
FRESH = dict.fromkeys(
    [
        "DATABASE_URL",
        "REDIS_URL",
        "REDIS_PREFIX",
        "MINDLOOM_TEST_DATA",
        "STATIC_ROOT",
        "LOG_LEVEL",
        "OUTBOUND_ALLOWED_NETWORKS",
    ]
)
WORK = """
from accounts.models import Department, Membership, Role, User
from agents.models import Agent
from mindloom import wall
from runs.models import Run
from runs import services
from tests import factories
import time
with wall.system("tests: run an agent"):
    department, _ = Department.objects.get_or_create(name="Tests", slug="tests")
    user = User.objects.filter(email="runner@example.org").first() or User.objects.create_user("runner@example.org", name="Runner")
    if not User.objects.filter(is_superuser=True).exists():
        User.objects.create_superuser("ada@example.org", "correct horse battery", name="Ada")
    Membership.objects.get_or_create(user=user, department=department, defaults={"role": Role.MANAGER, "status": "active"})
    agent = Agent.objects.filter(department=department).first() or factories.agent(user, department)
    run = services.start_run(actor=user, target=agent, text="Bread is baked. Bread is eaten.")
    end = time.monotonic() + 60
    while not run.is_terminal and time.monotonic() < end:
        time.sleep(0.1)
        run.refresh_from_db()
    print("It ended", run.state, "and there are", Run.objects.count())
"""


class Installation:
    """A data folder, and the commands that use it."""

    def __init__(self, house, name: str) -> None:
        self.house = house
        self.data = house.folder / name
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = {
            **FRESH,
            "MINDLOOM_DATA": str(self.data),
            "STATIC_ROOT": str(house.folder / f"static-{name}"),
        }

    def run(self, *arguments: str) -> Process:
        command = [sys.executable, "manage.py", "run", "--port", str(self.port), *arguments]
        return self.house.start("run", command, **self.environment)

    def ready(self, process: Process) -> Process:
        until(
            lambda: answers(f"{self.url}/readyz") == 200 or process.popen.poll() is not None,
            "it is ready",
            FIRST_START_SECONDS,
        )
        assert process.popen.poll() is None, process.output
        return process.says("Mindloom is ready")

    def manage(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self.house.manage(*arguments, **self.environment)

    def work(self) -> int:
        """Run an agent; how many runs there are now."""
        done = self.manage("shell", "-c", WORK)
        assert "It ended completed and there are" in done.stdout, done.stdout
        return int(done.stdout.split()[-1])

    def press_ctrl_c(self, process: Process) -> int:
        """The terminal tells the whole group."""
        os.killpg(process.popen.pid, signal.SIGINT)
        return process.ends()

    def everything(self) -> list[psutil.Process]:
        """Each process of this installation: those that name its folder, and those that were told of it."""
        found = {process.pid: process for process in processes_of(self.data)}
        for process in psutil.process_iter():
            try:
                if process.environ().get("MINDLOOM_DATA") == str(self.data):
                    found[process.pid] = process
            except psutil.Error:
                continue
        return list(found.values())


@contextmanager
def installation(house, name: str):
    made = Installation(house, name)
    yield made
    for process in made.everything():
        process.kill()


@pytest.fixture(scope="module")
def place(empty_house):
    """An installation that was started once, did some work, and was stopped. One test at a time runs it."""
    with installation(empty_house, "d") as made:
        started = time.monotonic()
        process = made.ready(made.run("--no-demo"))
        print(f"A first start takes {time.monotonic() - started:.1f} s")
        made.work()
        assert made.press_ctrl_c(process) == 0
        assert made.everything() == []
        yield made


@pytest.fixture
def new_place(empty_house):
    with installation(empty_house, f"n{time.monotonic_ns() % 1_000_000}") as made:
        yield made


@pytest.fixture(scope="module")
def running(place):
    """The second start of the installation; the tests that use it leave it running."""
    started = time.monotonic()
    process = place.ready(place.run("--no-demo"))
    process.took = time.monotonic() - started
    print(f"A second start takes {process.took:.1f} s")
    yield process
    place.press_ctrl_c(process)


def test_a_second_start_keeps_the_data(empty_house, place, running):
    assert running.took < 60
    assert place.work() > 1


def test_a_killed_worker_starts_again_and_works(empty_house, place, running):
    worker = until(
        lambda: next((one for one in place.everything() if "celery" in one.cmdline()), None), "the worker lives"
    )
    worker.kill()
    running.says("ended with code -9; it starts again")

    place.work()


def test_a_second_one_on_the_same_port_or_folder_refuses_with_a_sentence(empty_house, place, running):
    busy = place.run("--no-demo")
    second = place.run("--no-demo", "--port", str(free_port()))

    assert busy.ends() == second.ends() == 1
    assert f"Port {place.port} can't be used" in busy.output
    assert f"already runs on {place.data}" in second.output
    assert "Traceback" not in busy.output + second.output


def test_doctor_is_content_with_everything(empty_house, place, running):
    until(lambda: "FAILED  scheduler" not in place.manage("doctor").stdout, "the scheduler gave a sign of life")
    found = place.manage("doctor")

    assert found.returncode == 0, found.stdout
    assert "FAILED" not in found.stdout


def test_killing_the_supervisor_leaves_an_installation_that_starts_again(empty_house, new_place):
    process = new_place.ready(new_place.run("--no-demo"))
    process.kill()
    until(lambda: {one.name() for one in new_place.everything()} <= {"postgres"}, "what it started ends with it")
    again = new_place.ready(new_place.run("--no-demo"))

    new_place.work()
    assert new_place.press_ctrl_c(again) == 0
    assert new_place.everything() == []


def test_being_told_to_stop_before_it_is_ready_leaves_nothing(empty_house, new_place):
    process = new_place.run("--no-demo")
    until((new_place.data / "postgres.ready").exists, "the database is up")
    process.signal(signal.SIGTERM)

    process.ends()
    assert "Traceback" not in process.output
    assert new_place.everything() == []


def test_a_first_start_that_was_cut_off_is_begun_anew(empty_house, new_place):
    half = new_place.data / "postgres"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    (half / "postgresql.conf").write_text("nonsense")
    found = new_place.manage("check", "--database", "default")

    assert found.returncode == 0, found.stdout
    assert new_place.everything() == []


# -- as an ordinary user --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def as_nobody(empty_house):
    """Starts a command of manage.py as a user without rights."""
    if os.geteuid() != 0:
        pytest.skip("the other tests of this module run as an ordinary user already")
    # This Python may be in a folder that only its owner enters, so the user gets a copy of it.
    home = empty_house.folder / "python"
    unneeded = shutil.ignore_patterns("test", "site-packages", "config-*", "idlelib", "ensurepip")
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    shutil.copytree(Path(sys.base_prefix) / "lib" / name, home / "lib" / name, ignore=unneeded)
    shutil.copytree(Path(sys.base_prefix) / "bin", home / "bin", ignore=lambda _, names: set(names) - {name})
    empty_house.folder.chmod(0o755)
    for library in (Path(sys.base_prefix) / "lib").glob("libpython*"):
        shutil.copy(library, home / "lib")
    packages = next(path for path in sys.path if path.endswith("site-packages"))
    variables = {"PYTHONHOME": str(home), "PYTHONPATH": packages, "LD_LIBRARY_PATH": str(home / "lib"), "HOME": "/tmp"}
    command = [
        "setpriv",
        "--reuid=nobody",
        f"--regid={pwd.getpwnam('nobody').pw_gid}",
        "--clear-groups",
        str(home / "bin" / name),
    ]
    try:
        probe = subprocess.run(
            [*command, "-c", "import django, psycopg, redis"],
            cwd=BASE_DIR,
            env=variables,
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError as error:
        pytest.skip(f"this machine has no {error.filename}")
    if probe.returncode != 0:
        pytest.skip(f"this Python cannot be run by another user: {probe.stderr[-300:]}")
    return lambda place, *arguments: empty_house.start(
        "run", [*command, "manage.py", *arguments], **(place.environment | variables)
    )


def test_it_runs_as_an_ordinary_user(empty_house, new_place, as_nobody):
    for folder in (new_place.data, Path(new_place.environment["STATIC_ROOT"])):
        folder.mkdir()
        shutil.chown(folder, "nobody")
    process = new_place.ready(as_nobody(new_place, "run", "--no-demo", "--port", str(new_place.port)))

    assert {one.username() for one in new_place.everything()} == {"nobody"}
    assert new_place.press_ctrl_c(process) == 0
    assert new_place.everything() == []


def test_a_data_folder_that_cannot_be_written_is_named(empty_house, new_place, as_nobody):
    new_place.data.mkdir()
    process = as_nobody(new_place, "run", "--no-demo", "--port", str(new_place.port))

    assert process.ends() == 2
    assert f"The data folder {new_place.data} can't be used: Permission denied" in process.output
    assert "Traceback" not in process.output

"""With a database role that passes through the wall, no door opens."""

from __future__ import annotations

import pytest

from tests.processes.harness import commands, database_url, free_port

pytestmark = pytest.mark.processes
SENTENCE = "The database role 'postgres' is not held back by row-level security"
DOORS = ["web", "worker", "scheduler"]


@pytest.fixture
def superuser():
    from tests import servers

    if servers.embedded_servers is None:
        pytest.skip("DATABASE_URL names a server whose superuser we do not know")
    return database_url(user="postgres")


@pytest.mark.parametrize("door", DOORS)
def test_a_process_refuses_to_start(house, superuser, door):
    process = house.start(door, commands("127.0.0.1", free_port())[door], DATABASE_URL=superuser)

    assert process.ends() != 0
    assert SENTENCE in process.output
    assert "Traceback" not in process.output


@pytest.mark.parametrize(
    "command",
    [["migrate"], ["shell", "-c", "from runs.models import Run; print(list(Run.objects.all()))"]],
    ids=lambda command: command[0],
)
def test_a_command_refuses_to_work(house, superuser, command):
    done = house.manage(*command, DATABASE_URL=superuser)

    assert done.returncode != 0
    assert SENTENCE in done.stdout


def test_the_check_names_itself_and_what_to_do(house, superuser):
    done = house.manage("check", "--database", "default", DATABASE_URL=superuser)

    assert done.returncode != 0
    assert SENTENCE in done.stdout
    assert "mindloom.E001" in done.stdout
    assert "ALTER ROLE postgres NOSUPERUSER NOBYPASSRLS" in done.stdout


def test_run_refuses_before_it_migrates(house, superuser):
    done = house.manage(
        "run", "--port", str(free_port()), DATABASE_URL=superuser, MINDLOOM_DATA=house.folder / "data", REDIS_URL=None
    )

    assert done.returncode == 2
    assert SENTENCE in done.stdout

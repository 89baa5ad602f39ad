"""`manage.py serve`, as containers and services call it, and what says that such a process is healthy."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from mindloom.environment import BASE_DIR
from tests.processes.harness import answers, free_port, until

pytestmark = pytest.mark.processes


def healthy(**environment: str) -> tuple[int, str]:
    """Exit code and sentence of the health check, which knows nothing of Django."""
    command = [sys.executable, "-S", "mindloom/healthy.py"]
    done = subprocess.run(
        command, cwd=BASE_DIR, env=environment, capture_output=True, text=True, timeout=30, check=False
    )
    return done.returncode, done.stderr


def serve(house, part, *more, **changes):
    return house.start(part, [sys.executable, "manage.py", "serve", part, *more], **changes)


def test_the_web_process_is_healthy_while_it_answers(house, stage):
    port = free_port()
    assert healthy(PORT=str(port))[0] == 1
    process = serve(house, "web", "--host", "127.0.0.1", "--port", str(port))
    until(lambda: answers(f"http://127.0.0.1:{port}/livez") == 200, "it answers")

    assert healthy(PORT=str(port)) == (0, "")
    process.signal(signal.SIGTERM)
    assert process.ends() in {0, -signal.SIGTERM}  # uvicorn finishes, then ends by the signal that it was given
    code, said = healthy(PORT=str(port))
    assert code == 1
    assert "does not answer" in said


@pytest.mark.parametrize("part", ["worker", "scheduler"])
def test_worker_and_scheduler_are_healthy_while_they_go_round(house, stage, tmp_path, part):
    file = tmp_path / "alive"
    process = serve(house, part, ALIVE_FILE=file)
    until(file.exists, "it gives a sign")
    assert healthy(ALIVE_FILE=str(file)) == (0, "")
    os.utime(file, (0, 0))
    until(lambda: file.stat().st_mtime > 0, "it gives another one")

    process.signal(signal.SIGSTOP)
    os.utime(file, (0, 0))
    code, said = healthy(ALIVE_FILE=str(file))
    process.signal(signal.SIGCONT)
    assert code == 1
    assert "no sign of life" in said
    process.signal(signal.SIGTERM)
    assert process.ends() == 0


def test_options_of_the_part_are_handed_on(house, stage):
    process = serve(house, "worker", "--", "-Q", "documents", "-n", "reader@test", "--loglevel", "info")
    process.says("reader@test ready.")


def test_an_unknown_part_is_refused_with_the_known_ones(house, stage):
    done = house.manage("serve", "everything")

    assert done.returncode != 0
    assert "'web', 'worker', 'scheduler'" in done.stdout

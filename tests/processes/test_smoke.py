"""The small journey that a new version makes before people are sent to it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from accounts.services import issue_tokens
from mindloom import smoke
from mindloom.environment import BASE_DIR
from runs.models import Run
from tests.processes.harness import HELLO, answers, free_port, until

pytestmark = pytest.mark.processes


@pytest.fixture
def web(house, stage):
    port = free_port()
    house.web(port, MINDLOOM_DEBUG="true")  # pages without collected static files
    until(lambda: answers(f"http://127.0.0.1:{port}/livez") == 200, "it answers")
    return f"http://127.0.0.1:{port}"


def journey(address, **environment):
    """Exit code and what it said, without Django."""
    command = [sys.executable, "-S", "mindloom/smoke.py", address]
    environment = {"PATH": os.environ["PATH"], **environment}
    done = subprocess.run(
        command, cwd=BASE_DIR, env=environment, capture_output=True, text=True, timeout=90, check=False
    )
    return done.returncode, done.stdout + done.stderr


def test_without_a_token_it_knocks_at_the_doors(web):
    assert journey(web) == (0, f"{web}: ready, and does what it has to\n")


def test_with_a_token_and_an_agent_a_run_is_carried_out(web, house, stage, tmp_path):
    house.worker()
    (tmp_path / "token").write_text(issue_tokens(actor=stage.cast.bob)["access"] + "\n")
    agent = stage.agent([HELLO])
    code, said = journey(web, SMOKE_TOKEN_FILE=str(tmp_path / "token"), SMOKE_AGENT=str(agent.uuid))

    assert code == 0, said
    assert Run.objects.get().state == "completed"


def test_a_run_that_fails_fails_the_journey(web, house, stage):
    house.worker()
    token = issue_tokens(actor=stage.cast.bob)["access"]
    agent = stage.agent([{"status": 401}])
    code, said = journey(web, SMOKE_TOKEN=token, SMOKE_AGENT=str(agent.uuid))

    assert code == 1
    run = Run.objects.get()
    assert f"run {run.uuid} has failed: {run.reason_message}" in said


def test_a_token_that_opens_nothing_is_said_without_it(web):
    code, said = journey(web, SMOKE_TOKEN="made-up-token")
    assert code == 1
    assert "/api/v1/agents answered 401 instead of 200" in said
    assert "made-up-token" not in said


def test_where_nobody_answers_it_says_so(monkeypatch, capsys):
    monkeypatch.setattr(smoke, "READY_SECONDS", 0.0)
    assert smoke.main(f"http://127.0.0.1:{free_port()}") == 1
    assert "/readyz does not answer" in capsys.readouterr().err

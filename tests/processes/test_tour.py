"""The tours of docs/api.md, run as they stand against a real web process and a real worker."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys

import pytest

from agents import services as agents
from integrations.services import ensure_defaults
from mindloom import wall
from runs.models import Run
from tests.architecture.sources import ROOT
from tests.conftest import PASSWORD
from tests.processes.harness import free_port

pytestmark = pytest.mark.processes
SECONDS = 120


def tour(language):
    """The text of the page's one block in this language."""
    (block,) = re.findall(rf"```{language}\n(.*?)```", (ROOT / "docs" / "api.md").read_text(), re.DOTALL)
    return block


@pytest.fixture
def taken(house, cast, settings, tmp_path):
    """Takes a tour as Bob, and returns what it said."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]  # as the web process has it
    cast.bob.set_password(PASSWORD)
    cast.bob.save()
    ensure_defaults()
    with wall.tenant([cast.marketing.pk]):
        agent = agents.create_agent(
            actor=cast.alice, department_id=cast.marketing.pk, name="Campaign brief writer", template="campaign-brief"
        )
        agents.publish_agent(actor=cast.alice, agent=agent)
    port = free_port()
    house.worker()
    house.web(port)
    environment = os.environ | {"LOOM": f"http://127.0.0.1:{port}", "EMAIL": cast.bob.email, "PASSWORD": PASSWORD}

    def take(*command):
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return take


def the_run(cast):
    with wall.tenant([cast.marketing.pk]):
        return Run.objects.get()


@pytest.mark.parametrize("language", ["sh", "python"])
def test_a_tour_signs_in_runs_follows_and_takes_the_file_away(taken, cast, tmp_path, language):
    if language == "sh" and shutil.which("curl") is None:
        pytest.skip("this machine has no curl")
    said = taken(*(["bash", "-c"] if language == "sh" else [sys.executable, "-c"]), tour(language))
    run = the_run(cast)

    assert "run.completed" in said
    assert run.variables["audience"] == "Cyclists in cities"
    assert run.started_by == cast.bob
    assert [path.stat().st_size > 0 for path in tmp_path.iterdir()] == [True]


@pytest.mark.parametrize("language", ["sh", "python"])
def test_a_tour_is_short(language):
    assert len([line for line in tour(language).splitlines() if line.strip()]) <= 25

"""`deploy/bluegreen` that fails half-way says where people are now, and what to do."""

from __future__ import annotations

import subprocess

import pytest

from mindloom.environment import BASE_DIR

STEPS = ("migrate", "begin", "journey", "point", "end", "renew_scheduler")


@pytest.fixture
def bluegreen(tmp_path):
    """Calls the script with a platform on which one step fails; status, what it said, and the active colour."""

    def call(*arguments, failing=""):
        functions = [f"{one}() {{ {'false' if one == failing else ':'}; }}\n" for one in STEPS]
        (tmp_path / "platform.sh").write_text("".join(functions))
        done = subprocess.run(
            [str(BASE_DIR / "deploy/bluegreen"), *arguments],
            env={"PATH": "/usr/bin:/bin", "STATE": str(tmp_path / "state"), "PLATFORM": str(tmp_path / "platform.sh")},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=30,
            check=False,
        )
        active = tmp_path / "state/active"
        return done.returncode, done.stdout, active.read_text().strip() if active.exists() else "blue"

    return call


@pytest.mark.parametrize(
    ("failing", "active", "sentence"),
    [
        ("migrate", "blue", "Nothing was switched, nothing else was changed."),
        ("begin", "blue", "green does not do what it has to, and was ended. People stay with blue."),
        ("journey", "blue", "green does not do what it has to, and was ended. People stay with blue."),
        ("point", "blue", "People stay where they were"),
        ("renew_scheduler", "green", "People are sent to green (new:2), but its scheduler did not start"),
    ],
)
def test_a_deployment_that_fails_says_where_people_are(bluegreen, failing, active, sentence):
    code, said, now = bluegreen("deploy", "new:2", failing=failing)

    assert (code, now) == (1, active)
    assert sentence in said


def test_a_way_back_without_its_scheduler_says_so(bluegreen):
    for image in ("old:1", "new:2"):
        assert bluegreen("deploy", image)[0] == 0

    code, said, now = bluegreen("rollback", failing="renew_scheduler")

    assert (code, now) == (1, "green")
    assert "People are sent to green (old:1), but its scheduler did not start" in said

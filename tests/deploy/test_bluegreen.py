"""Two colours on an emulated cluster: deploy/bluegreen-kubernetes, with real Helm and kubectl."""

from __future__ import annotations

import pytest

from tests.deploy.conftest import version
from tests.deploy.test_release import ONE

pytestmark = pytest.mark.kubernetes


@pytest.fixture
def blue(installation):
    """Version 1 is in blue, where people are."""
    installation.install(ONE)
    return installation


def image_of(installation, name):
    found = installation.get("deployments.apps", f"mindloom-{name}")
    return found and found["spec"]["template"]["spec"]["containers"][0]["image"]


def replicas_of(installation, name):
    return installation.get("deployments.apps", f"mindloom-{name}")["spec"]["replicas"]


def images_of_migrations(installation):
    return [
        one["spec"]["template"]["spec"]["containers"][0]["image"]
        for one in installation.cluster.history()
        if one["kind"] == "Job" and not one.get("status", {}).get("conditions")
    ]


def test_a_version_is_started_beside_tried_and_switched_to(blue):
    code, said = blue.switch("deploy", "2")

    assert code == 0, said
    assert blue.colour == "green"
    assert (image_of(blue, "web-green"), image_of(blue, "web-blue")) == (version("2"), version("1"))
    assert image_of(blue, "scheduler") == version("2")
    assert (replicas_of(blue, "worker-green"), replicas_of(blue, "worker-blue")) == (2, 1)
    assert images_of_migrations(blue)[-1] == version("2")
    assert travelled(blue.cluster.history()) < switched(blue.cluster.history())


def travelled(history):
    """When green had made its journey."""
    return next(
        place
        for place, one in enumerate(history)
        if one["metadata"]["name"] == "mindloom-journey-green" and one.get("status", {}).get("phase") == "Succeeded"
    )


def switched(history):
    """When people were sent to green."""
    return next(
        place
        for place, one in enumerate(history)
        if one["kind"] == "Service"
        and one["metadata"]["name"] == "mindloom-web"
        and one["spec"]["selector"]["mindloom/colour"] == "green"
    )


def test_a_version_that_fails_its_journey_is_not_switched_to(blue):
    code, said = blue.switch("deploy", "3")

    assert code == 1
    assert "green does not do what it has to. People stay with blue" in said
    assert blue.colour == "blue"
    assert blue.switch("retire")[0] == 0
    assert image_of(blue, "web-green") is None
    assert image_of(blue, "web-blue") == image_of(blue, "scheduler") == version("1")


def test_a_version_whose_migrations_fail_is_not_even_started(blue):
    code, said = blue.switch("deploy", "4")

    assert code == 1
    assert "was not started" in said
    assert blue.colour == "blue"
    assert image_of(blue, "web-green") is None


def test_a_version_that_does_not_become_ready_is_not_switched_to(blue, monkeypatch):
    monkeypatch.setattr("tests.deploy.conftest.SECONDS", 5)
    blue.cluster.hold("mindloom-worker-green")
    code, said = blue.switch("deploy", "2")

    assert code == 1, said
    assert blue.colour == "blue"
    assert image_of(blue, "web-blue") == version("1")


def test_one_command_goes_back(blue):
    blue.switch("deploy", "2")
    code, said = blue.switch("rollback")

    assert code == 0, said
    assert blue.colour == "blue"
    assert image_of(blue, "scheduler") == version("1")
    assert (replicas_of(blue, "worker-green"), replicas_of(blue, "worker-blue")) == (1, 2)
    # The newest tables are green's; blue's image knows less of them and migrates nothing.
    assert images_of_migrations(blue)[-1] == version("2")


def test_there_is_nothing_to_go_back_to_at_first(blue):
    code, said = blue.switch("rollback")
    assert code == 1
    assert "green does not run" in said


def test_the_next_version_takes_the_other_colour_and_leaves_this_one_as_it_is(blue):
    blue.switch("deploy", "2")
    blue.switch("retire")
    assert image_of(blue, "web-blue") is None
    assert blue.switch("deploy", "1")[0] == 0
    assert (blue.colour, image_of(blue, "web-green")) == ("blue", version("2"))
    assert blue.switch("status") == (0, "blue: 1, which people see\ngreen: 2\n")


def test_another_release_is_told_apart(blue):
    blue.name = "elsewhere"
    code, said = blue.switch("status")
    assert code == 1
    assert "no release elsewhere" in said

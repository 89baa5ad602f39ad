"""Pods that cannot start: the run waits with the reason, or ends with it."""

from __future__ import annotations

import pytest

from runs.models import Reason, State
from tests.kubernetes.emulator import Image
from tests.kubernetes.installation import PODS_SECONDS, mindloom_image, words_of
from tests.kubernetes.programs import NAMESPACE
from tests.processes.harness import HELLO, ended, types

pytestmark = pytest.mark.kubernetes

ABSENT = "registry.invalid/mindloom:none"


@pytest.fixture(scope="module")
def options(options):
    """Worker and scheduler that are told of an image which nobody has pushed, and are not patient."""
    return options | {"KUBERNETES_EXECUTOR_IMAGE": ABSENT, "KUBERNETES_PENDING_SECONDS": "10"}


def test_an_image_that_is_not_there_ends_the_run(pair):
    run = ended(pair.start(HELLO), PODS_SECONDS)

    assert (run.state, run.reason) == (State.FAILED, Reason.IMAGE_NOT_FOUND)
    assert ABSENT in run.reason_message
    assert "run.started" not in types(run)
    pair.nothing_left()


def test_an_image_that_may_not_be_pulled_ends_the_run(pair, emulator):
    emulator.registry.images[ABSENT] = Image(pull_secret="registry")
    run = ended(pair.start(HELLO), PODS_SECONDS)

    assert (run.state, run.reason) == (State.FAILED, Reason.IMAGE_FORBIDDEN)
    assert "KUBERNETES_IMAGE_PULL_SECRETS" in run.reason_message


def test_an_image_that_cannot_be_started_is_a_wrong_set_up(pair, emulator):
    emulator.registry.images[ABSENT] = Image(("/no/such/program",))
    run = ended(pair.start(HELLO), PODS_SECONDS)

    assert (run.state, run.reason) == (State.FAILED, Reason.CONFIGURATION)


def test_a_run_that_no_node_fits_fails_when_it_has_waited_long_enough(pair):
    run = ended(pair.start(HELLO, place={"cpu": 60.0}), PODS_SECONDS)

    assert (run.state, run.reason) == (State.FAILED, Reason.NO_NODE)
    assert "within 10 s" in run.reason_message
    assert "60 CPU" in run.reason_message
    pair.nothing_left()


def test_a_quota_holds_a_run_up_until_there_is_room(pair, emulator):
    emulator.registry.images[ABSENT] = mindloom_image()
    quota = {"metadata": {"name": "none"}, "spec": {"hard": {"pods": "0"}}}
    pair.admin.core.create_namespaced_resource_quota(NAMESPACE, quota)
    try:
        run = pair.start(HELLO)
        assert "quota" in pair.waits(run, Reason.QUOTA)
    finally:
        pair.admin.core.delete_namespaced_resource_quota("none", NAMESPACE)
    ended(run, PODS_SECONDS)
    assert run.state == State.COMPLETED
    assert "quota" in words_of(run)


def test_a_quota_of_jobs_that_stays_full_ends_the_run(pair):
    quota = {"metadata": {"name": "none"}, "spec": {"hard": {"count/jobs.batch": "0"}}}
    pair.admin.core.create_namespaced_resource_quota(NAMESPACE, quota)
    try:
        run = ended(pair.start(HELLO), PODS_SECONDS)
    finally:
        pair.admin.core.delete_namespaced_resource_quota("none", NAMESPACE)
    assert (run.state, run.reason) == (State.FAILED, Reason.QUOTA)

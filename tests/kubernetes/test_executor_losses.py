"""Pods that are taken away or die: the run goes on in another one, or ends with the reason, and its log is whole."""

from __future__ import annotations

import signal
import sys

import pytest

from runs.models import Reason, State
from tests.kubernetes.emulator import Image, memory
from tests.kubernetes.installation import IMAGE, PODS_SECONDS, mindloom_image, words_of
from tests.kubernetes.programs import NAMESPACE, kubectl
from tests.processes.harness import SLOW, ended, types, under_way, until

pytestmark = pytest.mark.kubernetes

SHORT = SLOW | {"text": [f"word{place} " for place in range(40)]}
"""A model that writes for four seconds."""


@pytest.fixture(scope="module")
def options(options):
    """Each run may lose one pod."""
    return options | {"RUN_RESTARTS": "1"}


@pytest.fixture
def limits():
    if not memory.usable():
        pytest.skip(
            "memory limits need a writable control group: run as root, or where the memory controller is delegated"
        )


def name_of(pod):
    return pod["metadata"]["name"]


def squeezed(pair, emulator, run):
    """Its pod gets no more memory than it has, until the kernel ends it."""
    pod = name_of(pair.pod(run))

    def over():
        emulator.squeeze(NAMESPACE, pod)
        run.refresh_from_db()
        return run.is_terminal

    until(over, "the kernel ends it", PODS_SECONDS)
    ended(run)
    seen = [one for one in emulator.history() if one["kind"] == "Pod" and name_of(one) == pod]
    return seen[-1]["status"]["containerStatuses"][0]["state"]["terminated"]["reason"]


@pytest.fixture
def hungry(emulator):
    """An image whose process wants half a gigabyte before anything else."""
    emulator.registry.images[IMAGE] = Image((sys.executable, "-S", "-c", "b'x' * 2**29"))
    yield
    emulator.registry.images[IMAGE] = mindloom_image()


def test_a_pod_that_has_too_little_memory_to_start_ends_the_run(pair, hungry, limits):
    run = ended(pair.start(SHORT, place={"memory_mb": 256}), PODS_SECONDS)

    assert (run.state, run.reason) == (State.FAILED, Reason.OUT_OF_MEMORY)
    assert "256 MiB" in run.reason_message
    assert "run.started" not in types(run)


def test_a_run_that_needs_too_much_memory_is_ended(pair, emulator, limits):
    run = under_way(pair.start(SLOW), events=4)

    assert squeezed(pair, emulator, run) == "OOMKilled"
    assert (run.state, run.reason) == (State.FAILED, Reason.OUT_OF_MEMORY)
    assert "512 MiB" in run.reason_message


@pytest.mark.parametrize("how", ["evict", "preempt", "drain"])
def test_a_pod_that_is_put_out_is_followed_by_another(pair, emulator, how):
    run = pair.start(SHORT)
    under_way(run, events=4)
    pod = name_of(pair.pod(run))
    if how == "drain":
        eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod}}
        pair.admin.core.create_namespaced_pod_eviction(pod, NAMESPACE, eviction)
    else:
        getattr(emulator, how)(NAMESPACE, pod)
    ended(run, PODS_SECONDS)

    assert run.state == State.COMPLETED
    assert types(run).count("run.resumed") == 1
    assert run.claimed_by.startswith(f"mindloom-run-{run.uuid}-")
    assert not run.claimed_by.startswith(pod)


def test_a_run_that_is_put_out_too_often_ends_with_the_reason(pair, emulator):
    run = pair.start(SLOW)
    for _ in range(2):
        under_way(run, events=run.last_seq + 3)
        emulator.evict(NAMESPACE, name_of(pair.pod(run)))
        until(lambda: run.refresh_from_db() or run.state != State.RUNNING, "it is noticed", PODS_SECONDS)
    ended(run, PODS_SECONDS)

    assert (run.state, run.reason) == (State.FAILED, Reason.EVICTED)
    assert run.restarts == 1


def test_a_run_goes_on_when_its_node_is_lost(pair, emulator):
    emulator.add_node("node-2")
    run = pair.start(SHORT)
    under_way(run, events=4)
    node = pair.pod(run)["spec"]["nodeName"]
    emulator.lose_node(node)
    ended(run, PODS_SECONDS)
    emulator.find_node(node)

    assert (run.state, run.restarts) == (State.COMPLETED, 1)
    assert "went away" in words_of(run)


@pytest.mark.parametrize(
    ("number", "said"),
    [(signal.SIGKILL, "is carried out here, attempt 1"), (signal.SIGSEGV, "Segmentation fault")],
    ids=["killed", "crashed"],
)
def test_what_a_process_printed_before_it_died_is_kept(pair, emulator, number, said):
    """Python prints where it was when it crashes; who is killed says no more than that it had begun."""
    run = pair.start(SHORT)
    under_way(run, events=4)
    emulator.kill(NAMESPACE, name_of(pair.pod(run)), number)
    ended(run, PODS_SECONDS)

    assert (run.state, run.restarts) == (State.COMPLETED, 1)
    assert f"without a word, with exit code {128 + number}" in words_of(run)
    (kept,) = run.artifacts.all()
    assert kept.name == "pod.log"
    assert said in kept.file.read().decode()


def test_a_deadline_of_the_cluster_ends_a_run_whose_pod_never_came(pair, emulator):
    """One that is under way gives itself back first, and ends at its own limit."""
    run = pair.start(SLOW, place={"cpu": 60.0})
    pair.waits(run, Reason.NO_NODE)
    job = pair.jobs(run)[0]["metadata"]["name"]
    pair.admin.batch.patch_namespaced_job(job, NAMESPACE, {"spec": {"activeDeadlineSeconds": 1}})
    ended(run, PODS_SECONDS)

    assert (run.state, run.reason) == (State.FAILED, Reason.TIMEOUT)


def test_a_run_whose_job_is_deleted_goes_on_in_another(pair):
    run = pair.start(SHORT)
    under_way(run, events=4)
    job = pair.jobs(run)[0]["metadata"]["name"]
    kubectl(pair.admin.kubeconfig, "delete", "job", job, "-n", NAMESPACE, "--wait=false")
    ended(run, PODS_SECONDS)

    assert run.state == State.COMPLETED
    assert types(run).count("run.resumed") == 1
    pair.nothing_left()

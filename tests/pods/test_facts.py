"""What is said of a pod, from the facts as a cluster gives them: one kind, one sentence, with what can be done."""

from __future__ import annotations

import pytest

from runs.worker.pods.facts import judge

IMAGE = "registry.example/mindloom:2026.11"
JOB: dict = {"metadata": {"name": "mindloom-run-1"}, "status": {}}


def job(**condition):
    return {**JOB, "status": {"conditions": [{"type": "Failed", "status": "True", **condition}]}}


def pod(state=None, *, phase="Pending", conditions=(), node="node-1", **status):
    """A pod of half a core and 512 MiB, whose container is in this state."""
    container = {"image": IMAGE, "resources": {"limits": {"cpu": "500m", "memory": "512Mi"}}}
    statuses = [{"name": "run", "state": state}] if state else []
    return {
        "metadata": {"name": "mindloom-run-1-abcde"},
        "spec": {"nodeName": node, "containers": [container]},
        "status": {"phase": phase, "conditions": list(conditions), "containerStatuses": statuses, **status},
    }


def waiting(reason, message=""):
    return pod({"waiting": {"reason": reason, "message": message}})


def ended(code, reason="Error", **more):
    return pod({"terminated": {"exitCode": code, "reason": reason, **more}}, phase="Failed")


def disrupted(reason, **more):
    return pod(phase="Failed", conditions=[{"type": "DisruptionTarget", "status": "True", "reason": reason}], **more)


NOT_FOUND = f'rpc error: code = NotFound desc = failed to pull and unpack image "{IMAGE}": not found'
DENIED = f'failed to authorize: failed to fetch oauth token: unexpected status from "{IMAGE}": 401 Unauthorized'
UNSCHEDULABLE = {
    "type": "PodScheduled",
    "status": "False",
    "reason": "Unschedulable",
    "message": "0/3 nodes are available: 3 Insufficient cpu.",
}
CASES = {
    "the first pull that fails may pass": (JOB, waiting("ErrImagePull", NOT_FOUND), "image_not_found", False, False),
    "no such image": (JOB, waiting("ImagePullBackOff", NOT_FOUND), "image_not_found", True, False),
    "an image with an impossible name": (JOB, waiting("InvalidImageName"), "image_not_found", True, False),
    "an image that is never pulled": (JOB, waiting("ErrImageNeverPull"), "image_not_found", True, False),
    "no right to pull": (JOB, waiting("ImagePullBackOff", DENIED), "image_forbidden", True, False),
    "a registry that is away": (
        JOB,
        waiting("ImagePullBackOff", "dial tcp: i/o timeout"),
        "image_not_found",
        False,
        False,
    ),
    "a key that its secret lacks": (
        JOB,
        waiting("CreateContainerConfigError", "no key"),
        "configuration",
        False,
        False,
    ),
    "a command that is not there": (JOB, waiting("RunContainerError", "exec failed"), "configuration", True, False),
    "no node fits": (JOB, pod(node="", conditions=[UNSCHEDULABLE]), "no_node", False, False),
    "out of memory": (job(reason="BackoffLimitExceeded"), ended(137, "OOMKilled"), "out_of_memory", True, False),
    "killed": (job(reason="BackoffLimitExceeded"), ended(137), "lost", True, True),
    "crashed": (job(reason="PodFailurePolicy"), ended(139), "lost", True, True),
    "ended well, but too early": (JOB, ended(0, "Completed"), "lost", True, True),
    "evicted": (job(), pod(phase="Failed", reason="Evicted", message="low on memory."), "evicted", True, True),
    "evicted by the API": (job(), disrupted("EvictionByEvictionAPI"), "evicted", True, True),
    "preempted": (job(), disrupted("PreemptionByScheduler"), "evicted", True, True),
    "the node went away": (job(), disrupted("DeletionByTaintManager"), "node_lost", True, True),
    "the node is long gone": (job(), disrupted("DeletionByPodGC"), "node_lost", True, True),
    "too slow": (job(reason="DeadlineExceeded"), None, "timeout", True, False),
    "too slow, seen with its pod": (job(reason="DeadlineExceeded"), ended(143), "timeout", True, False),
    "ended before it had taken the run, and is gone": (
        {**JOB, "status": {"conditions": [{"type": "Complete", "status": "True"}]}},
        None,
        "lost",
        True,
        True,
    ),
    "its pod was deleted": (job(reason="BackoffLimitExceeded", message="gone"), None, "lost", True, True),
}


@pytest.mark.parametrize("what", CASES)
def test_each_case_has_its_kind(what):
    its_job, its_pod, kind, ends, goes_on = CASES[what]
    fact = judge(its_job, its_pod, list)
    assert (fact.kind, fact.ends, fact.goes_on) == (kind, ends, goes_on), fact.message
    assert fact.message.endswith(".")


@pytest.mark.parametrize(
    ("its_pod", "words"),
    [
        (pod(node="", conditions=[UNSCHEDULABLE]), ["0.5 CPU and 512 MiB", "Insufficient cpu", "add a node"]),
        (ended(137, "OOMKilled"), ["512 MiB", "Allow it more"]),
        (waiting("ImagePullBackOff", DENIED), [IMAGE, "KUBERNETES_IMAGE_PULL_SECRETS"]),
        (waiting("ImagePullBackOff", NOT_FOUND), [IMAGE, "KUBERNETES_EXECUTOR_IMAGE"]),
        (ended(137), ["exit code 137 (killed)"]),
        (disrupted("DeletionByTaintManager"), ["The node node-1 of its pod went away"]),
    ],
)
def test_the_sentence_names_what_it_is_about_and_what_to_do(its_pod, words):
    message = judge(JOB, its_pod, list).message
    assert [one for one in words if one not in message] == [], message


def test_while_it_starts_there_is_nothing_to_say():
    assert judge(JOB, waiting("ContainerCreating"), list).kind is None
    assert judge(JOB, pod(), list).kind is None
    assert judge(JOB, pod({"running": {}}, phase="Running"), list).kind is None
    assert judge(JOB, None, list).kind is None


def test_a_pod_that_is_not_made_is_explained_by_the_warnings_of_its_job():
    quota = {
        "reason": "FailedCreate",
        "message": 'pods "x" is forbidden: exceeded quota: runs, requested: pods=1, used: pods=5',
    }
    fact = judge(JOB, None, lambda: [{"reason": "Other", "message": "older"}, quota])
    assert (fact.kind, fact.ends) == ("quota", False)
    assert "runs, requested: pods=1, used: pods=5" in fact.message

    refused = {"reason": "FailedCreate", "message": "violates PodSecurity"}
    assert judge(JOB, None, lambda: [refused]).kind == "configuration"


def test_what_the_cluster_says_stays_on_one_line_and_short():
    message = judge(JOB, waiting("RunContainerError", "first\nsecond" + " and so on" * 200), list).message
    assert "\n" not in message
    assert len(message) < 600

"""What the objects of a run's attempt in the cluster say about it, in a word and a sentence with what can be done.

Pure functions of the job, its pod and the cluster's warnings, as the API gives them. Kubernetes' own texts are looked at for what
has no field of its own, and repeated where they name names.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mindloom.engine.events import FailureKind

Thing = dict[str, Any]
_IMAGE_TROUBLE = {"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "ImageInspectError"}
_SET_UP_WRONGLY = {"CreateContainerConfigError", "CreateContainerError", "RunContainerError", "StartError"}
_FORBIDDEN = re.compile(r"unauthorized|forbidden|denied|no basic auth|authentication|authorization", re.IGNORECASE)
_NO_SUCH_IMAGE = re.compile(
    r"not found|manifest unknown|no such image|does not exist|never pull|invalid", re.IGNORECASE
)
_KILLED = 137


@dataclass(frozen=True)
class Fact:
    """What is known. `ends` when it will not change by itself; `goes_on` when another pod may do better."""

    kind: FailureKind | None
    """None while all is well."""
    message: str
    ends: bool = False
    goes_on: bool = False
    has_log: bool = False
    """Whether the container ran, so that what it printed may tell more."""


def judge(job: Thing, pod: Thing | None, warnings: Callable[[], Sequence[Thing]]) -> Fact:
    """What is to be said of an attempt whose run has not ended. `warnings` are the cluster's about the job, when they are needed."""
    failed = condition(job, "Failed")
    if pod is not None:
        found = _of_pod(job, pod)
        if found is not None:
            return found
    if failed is not None:
        return _of_job(failed)
    if pod is None and condition(job, "Complete") is not None:
        return Fact("lost", "Its pod ended without having taken the run.", ends=True, goes_on=True)
    if pod is None:
        return _without_pod(warnings())
    return Fact(None, "Its pod is starting.")


def _of_pod(job: Thing, pod: Thing) -> Fact | None:
    status = pod.get("status") or {}
    state = container_state(pod)
    if fact := _taken_away(pod):
        return fact
    if (terminated := state.get("terminated")) is not None:
        return _ended(job, pod, terminated)
    if status.get("phase") == "Failed":
        return Fact("lost", f"Its pod failed: {_said(status)}.", ends=True, goes_on=True)
    if waiting := state.get("waiting"):
        return _waits(pod, waiting)
    scheduled = condition(pod, "PodScheduled", "False")
    if scheduled is not None and scheduled.get("reason") == "Unschedulable":
        return Fact("no_node", f"No node fits: the pod needs {_needs(pod)}. {_said(scheduled)}. {_ROOM}")
    return None


_ROOM = "Ask for less under Limits, or let an administrator add a node."


def _taken_away(pod: Thing) -> Fact | None:
    """The cluster has put the pod out, or its node is gone."""
    status = pod.get("status") or {}
    disrupted = condition(pod, "DisruptionTarget")
    why = disrupted.get("reason", "") if disrupted else ""
    if status.get("reason") == "Evicted" or why in {"EvictionByEvictionAPI", "TerminationByKubelet"}:
        said = status.get("message") or (disrupted or {}).get("message") or "the node needed its room"
        return Fact("evicted", f"Its pod was evicted: {_plain(said)}.", ends=True, goes_on=True)
    if why == "PreemptionByScheduler":
        return Fact("evicted", "Its pod made room for one of a higher priority.", ends=True, goes_on=True)
    if status.get("reason") == "NodeLost" or why in {"DeletionByTaintManager", "DeletionByPodGC"}:
        node = (pod.get("spec") or {}).get("nodeName", "")
        return Fact("node_lost", f"The node {node} of its pod went away.".replace("  ", " "), ends=True, goes_on=True)
    return None


def _ended(job: Thing, pod: Thing, terminated: Thing) -> Fact:
    code = int(terminated.get("exitCode") or 0)
    if terminated.get("reason") == "OOMKilled":
        limit = _limits(pod).get("memory", "")
        words = f"The run needed more memory than its pod may use, {_memory(limit)}. Allow it more under Limits."
        return Fact("out_of_memory", words, ends=True, has_log=True)
    if (failed := condition(job, "Failed")) is not None and failed.get("reason") == "DeadlineExceeded":
        return _of_job(failed)
    if code == 0:
        return Fact("lost", "Its pod ended without having ended the run.", ends=True, goes_on=True, has_log=True)
    if terminated.get("reason") in _SET_UP_WRONGLY:
        words = f"Its pod could not be started: {_said(terminated)}. An administrator checks the image and the KUBERNETES_ options."
        return Fact("configuration", words, ends=True)
    killed = " (killed)" if code == _KILLED else ""
    words = f"The process in its pod ended without a word, with exit code {code}{killed}."
    return Fact("lost", words, ends=True, goes_on=True, has_log=True)


def _waits(pod: Thing, waiting: Thing) -> Fact | None:
    reason, message = str(waiting.get("reason", "")), str(waiting.get("message", ""))
    if reason in _IMAGE_TROUBLE:
        image = _container(pod).get("image", "")
        # The first failure may pass; what the second says is the reason.
        ends = reason != "ErrImagePull"
        if _FORBIDDEN.search(message):
            words = f"The cluster may not pull the image {image}. An administrator gives it a secret for the registry: KUBERNETES_IMAGE_PULL_SECRETS."
            return Fact("image_forbidden", words, ends=ends)
        if _NO_SUCH_IMAGE.search(message) or reason in {"InvalidImageName", "ErrImageNeverPull"}:
            words = f"The image {image} was not found. An administrator corrects KUBERNETES_EXECUTOR_IMAGE, or pushes the image."
            return Fact("image_not_found", words, ends=ends)
        return Fact("image_not_found", f"The image {image} cannot be pulled yet: {_plain(message) or reason}.")
    if reason in _SET_UP_WRONGLY:
        words = f"Its pod cannot be started as it is set up: {_plain(message) or reason}. An administrator checks the KUBERNETES_ options."
        return Fact("configuration", words, ends=reason != "CreateContainerConfigError")
    return None


def _of_job(failed: Thing) -> Fact:
    if failed.get("reason") == "DeadlineExceeded":
        words = "The run did not end within the time that its pod was given. Allow it more time under Limits."
        return Fact("timeout", words, ends=True)
    return Fact("lost", f"Its pod is gone: {_said(failed)}.", ends=True, goes_on=True)


def _without_pod(warnings: Sequence[Thing]) -> Fact:
    """The job is there, and no pod yet: its controller says why as a warning."""
    for one in reversed(warnings):
        message = str(one.get("message", ""))
        if "exceeded quota" in message:
            used = _plain(message.partition("exceeded quota: ")[2])
            words = f"The namespace's quota has no room for its pod: {used}. It starts when there is room, or an administrator raises the quota."
            return Fact("quota", words)
        if one.get("reason") == "FailedCreate":
            words = f"The cluster does not make its pod: {_plain(message)}. An administrator checks the KUBERNETES_ options."
            return Fact("configuration", words)
    return Fact(None, "Its pod is being made.")


def condition(thing: Thing, kind: str, status: str = "True") -> Thing | None:
    """The condition of this type that has this status."""
    conditions = (thing.get("status") or {}).get("conditions") or []
    return next((one for one in conditions if one.get("type") == kind and one.get("status") == status), None)


def container_state(pod: Thing) -> Thing:
    """How the one container stands: `waiting`, `running` or `terminated`."""
    states = (pod.get("status") or {}).get("containerStatuses") or []
    return (states[0].get("state") or {}) if states else {}


def has_finished(job: Thing) -> bool:
    """Whether nothing of the job runs any more."""
    return condition(job, "Complete") is not None or condition(job, "Failed") is not None


def _container(pod: Thing) -> Thing:
    found = ((pod.get("spec") or {}).get("containers") or [{}])[0]
    return dict(found)


def _limits(pod: Thing) -> dict[str, str]:
    return dict((_container(pod).get("resources") or {}).get("limits") or {})


def _needs(pod: Thing) -> str:
    limits = _limits(pod)
    cpu = limits.get("cpu", "")
    cores = f"{int(cpu[:-1]) / 1000:g}" if cpu.endswith("m") else cpu
    return f"{cores} CPU and {_memory(limits.get('memory', ''))}"


def _memory(quantity: str) -> str:
    return f"{quantity[:-2]} MiB" if quantity.endswith("Mi") else quantity or "its limit"


def _said(thing: Thing) -> str:
    return _plain(thing.get("message") or thing.get("reason") or "no reason was given")


def _plain(text: object) -> str:
    """One line, not too long, without its own full stop."""
    return " ".join(str(text).split())[:300].rstrip(". ")

"""The Job controller: makes pods for Jobs, counts how they end, and says what became of the Job."""

from __future__ import annotations

import asyncio
import copy
import secrets
from collections import defaultdict
from typing import Any

from tests.kubernetes.emulator import admission
from tests.kubernetes.emulator.deleting import Deleting
from tests.kubernetes.emulator.errors import ApiError
from tests.kubernetes.emulator.kinds import BY_RESOURCE
from tests.kubernetes.emulator.recorder import Recorder
from tests.kubernetes.emulator.store import Change, Key, Object, Store, condition, now, seconds_since, set_condition

RETRY_SECONDS = 0.5
"""How long until a refused or failed pod is tried again. A real cluster begins with ten seconds and doubles them."""
ENDED = {"Succeeded", "Failed"}
Tally = dict[str, str]


class Jobs:
    """Level-triggered: whatever changed, a Job is looked at as a whole."""

    def __init__(self, store: Store, deleting: Deleting, recorder: Recorder) -> None:
        self.store, self.deleting, self.recorder = store, deleting, recorder
        self._tallies: dict[str, Tally] = defaultdict(dict)
        self._not_before: dict[str, float] = {}
        self._planned: set[Key] = set()
        store.listeners.append(self._hear)

    def _hear(self, change: Change) -> None:
        if change.key.resource == "jobs.batch":
            self._plan(change.key, 0)
        elif change.key.resource == "pods":
            for owner in change.object["metadata"].get("ownerReferences", ()):
                if owner["kind"] == "Job":
                    self._count(owner["uid"], change)
                    self._plan(Key("jobs.batch", change.key.namespace, owner["name"]), 0)

    def _plan(self, key: Key, seconds: float) -> None:
        if seconds:
            asyncio.get_running_loop().call_later(seconds, self._look, key)
        elif key not in self._planned:
            self._planned.add(key)
            asyncio.get_running_loop().call_soon(self._look, key)

    def _count(self, uid: str, change: Change) -> None:
        """A pod that ended or vanished counts once, as what it was."""
        pod, tally = change.object, self._tallies[uid]
        name, phase = change.key.name, pod["status"]["phase"]
        if tally.get(name) not in {None, "active"}:
            return
        if phase in ENDED:
            tally[name] = "succeeded" if phase == "Succeeded" else self._verdict(pod)
        elif change.type == "DELETED":
            tally[name] = self._verdict(pod)
        else:
            tally[name] = "active"

    def _verdict(self, pod: Object) -> str:
        """How a pod that did not succeed counts: by the first rule of `podFailurePolicy` that fits, else as failed."""
        owner = pod["metadata"]["ownerReferences"][0]
        job = self.store.get("jobs.batch", pod["metadata"]["namespace"], owner["name"])
        rules = (job or {"spec": {}})["spec"].get("podFailurePolicy", {}).get("rules", ())
        action = next((rule["action"] for rule in rules if _fits(rule, pod)), "Count")
        return {"FailJob": "fatal", "Ignore": "ignored"}.get(action, "failed")

    def _look(self, key: Key) -> None:
        self._planned.discard(key)
        job = self.store.objects.get(key)
        if job is None:
            return
        if condition(job, "Complete") or condition(job, "Failed"):
            self._expire(key, job)
        elif "deletionTimestamp" not in job["metadata"]:
            self._drive(key, job)

    def _expire(self, key: Key, job: Object) -> None:
        ttl = job["spec"].get("ttlSecondsAfterFinished")
        if ttl is None:
            return
        ended = condition(job, "Complete") or condition(job, "Failed") or {}
        left = ttl - seconds_since(ended["lastTransitionTime"])
        if left <= 0:
            self.deleting.delete(key, policy="Background")
        else:
            self._plan(key, left + 0.05)

    def _pods(self, job: Object) -> tuple[list[Key], list[Key]]:
        """Those at work, and those that are told to end."""
        active, leaving = [], []
        for key, pod in self.store.owned_by(job["metadata"]["uid"]):
            if key.resource == "pods" and pod["status"]["phase"] not in ENDED:
                (leaving if "deletionTimestamp" in pod["metadata"] else active).append(key)
        return active, leaving

    def _drive(self, key: Key, job: Object) -> None:
        spec, tally = job["spec"], list(self._tallies[job["metadata"]["uid"]].values())
        active, leaving = self._pods(job)
        counts = {name: tally.count(name) for name in ("succeeded", "failed", "fatal", "ignored")}
        if spec["suspend"]:
            self._remove(active, job)
            self.store.amend(key, lambda one: set_condition(one["status"], "Suspended", "True", "JobSuspended"))
            return
        start = job["status"].get("startTime") or now()
        verdict = self._judge(job, counts, seconds_since(start))
        self.store.amend(key, lambda one: _progress(one, start, counts, active, leaving))
        if verdict == ("Complete", "CompletionsReached", "Reached expected number of succeeded pods"):
            self._end(key, verdict)
        elif verdict:
            self.store.amend(key, lambda one: set_condition(one["status"], "FailureTarget", "True", *verdict[1:]))
            self._remove(active, job)
            if not self._pods(job)[0] and not self._pods(job)[1]:
                self._end(key, verdict)
        else:
            self._deadline(key, spec, start)
            blocking = len(active) + (len(leaving) if spec["podReplacementPolicy"] == "Failed" else 0)
            if blocking < min(spec["parallelism"], spec["completions"] - counts["succeeded"]):
                self._create(key, job, sum(counts.values()))

    def _judge(self, job: Object, counts: dict[str, int], seconds: float) -> tuple[str, str, str] | None:
        spec = job["spec"]
        target = condition(job, "FailureTarget")
        if target:
            return "Failed", target["reason"], target["message"]
        if counts["succeeded"] >= spec["completions"]:
            return "Complete", "CompletionsReached", "Reached expected number of succeeded pods"
        if counts["fatal"]:
            said = "A pod failed in a way that matches a FailJob rule of podFailurePolicy"
            return "Failed", "PodFailurePolicy", said
        if counts["failed"] > spec["backoffLimit"]:
            return "Failed", "BackoffLimitExceeded", "Job has reached the specified backoff limit"
        if seconds >= spec.get("activeDeadlineSeconds", seconds + 1):
            return "Failed", "DeadlineExceeded", "Job was active longer than specified deadline"
        return None

    def _deadline(self, key: Key, spec: Object, start: str) -> None:
        if "activeDeadlineSeconds" in spec:
            self._plan(key, max(0.05, spec["activeDeadlineSeconds"] - seconds_since(start)))

    def _end(self, key: Key, verdict: tuple[str, str, str]) -> None:
        type_, reason, message = verdict

        def write(one: Object) -> None:
            if type_ == "Complete":
                set_condition(one["status"], "SuccessCriteriaMet", "True", reason, message)
                one["status"]["completionTime"] = now()
            set_condition(one["status"], type_, "True", reason, message)

        job = self.store.amend(key, write)
        assert job
        if type_ == "Complete":
            self.recorder.write(job, "Completed", "Job completed", component="job-controller")
        else:
            self.recorder.write(job, reason, message, component="job-controller", warning=True)

    def _remove(self, pods: list[Key], job: Object) -> None:
        for pod in pods:
            self.deleting.delete(pod)
            self.recorder.write(job, "SuccessfulDelete", f"Deleted pod: {pod.name}", component="job-controller")

    def _create(self, key: Key, job: Object, earlier: int) -> None:
        loop, uid = asyncio.get_running_loop(), job["metadata"]["uid"]
        due = self._not_before.get(uid, 0.0)
        if earlier and not due:
            due = self._not_before[uid] = loop.time() + RETRY_SECONDS
        if loop.time() < due:
            self._plan(key, due - loop.time() + 0.01)
            return
        self._not_before.pop(uid, None)
        pod = _pod_of(job)
        place = Key("pods", key.namespace, pod["metadata"]["name"])
        try:
            admission.complete(BY_RESOURCE["pods"], pod)
            admission.admit(self.store, BY_RESOURCE["pods"], key.namespace, pod)
        except ApiError as error:
            said = f"Error creating: {error.message}"
            self.recorder.write(job, "FailedCreate", said, component="job-controller", warning=True)
            self._not_before[uid] = loop.time() + RETRY_SECONDS
            self._plan(key, RETRY_SECONDS)
            return
        self.store.put(place, pod)
        self.recorder.write(job, "SuccessfulCreate", f"Created pod: {place.name}", component="job-controller")


def _progress(job: Object, start: str, counts: dict[str, int], active: list[Key], leaving: list[Key]) -> None:
    status = job["status"]
    status["startTime"] = start
    status["active"], status["terminating"] = len(active), len(leaving)
    for name, number in (("succeeded", counts["succeeded"]), ("failed", counts["failed"] + counts["fatal"])):
        if number:
            status[name] = number
    if any(one["type"] == "Suspended" for one in status.get("conditions", ())):
        set_condition(status, "Suspended", "False", "JobResumed", "Job resumed")


def _pod_of(job: Object) -> Object:
    meta, template = job["metadata"], copy.deepcopy(job["spec"]["template"])
    owner = {"apiVersion": job["apiVersion"], "kind": "Job", "name": meta["name"], "uid": meta["uid"]}
    own = template.get("metadata", {})
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": f"{meta['name']}-{secrets.token_hex(3)[:5]}",
            "generateName": f"{meta['name']}-",
            "labels": own.get("labels", {}),
            "annotations": own.get("annotations", {}),
            "ownerReferences": [owner | {"controller": True, "blockOwnerDeletion": True}],
        },
        "spec": template["spec"],
    }


def _fits(rule: dict[str, Any], pod: Object) -> bool:
    status = pod["status"]
    if "onPodConditions" in rule:
        held = {(one["type"], one["status"]) for one in status.get("conditions", ())}
        return any((one["type"], one.get("status", "True")) in held for one in rule["onPodConditions"])
    codes = rule["onExitCodes"]
    for one in status.get("containerStatuses", ()):
        code = one["state"].get("terminated", {}).get("exitCode", 0)
        mine = codes.get("containerName") in {None, one["name"]}
        if mine and code and (code in codes["values"]) == (codes["operator"] == "In"):
            return True
    return False

"""The scheduler: gives pods a node that has room for them, or says why none has."""

from __future__ import annotations

import asyncio
from collections import Counter
from decimal import Decimal

from tests.kubernetes.emulator.deleting import Deleting
from tests.kubernetes.emulator.quantities import amount, wanted
from tests.kubernetes.emulator.recorder import Recorder
from tests.kubernetes.emulator.store import Change, Key, Object, Store, condition, set_condition

COMPONENT = "default-scheduler"


class Scheduler:
    def __init__(self, store: Store, deleting: Deleting, recorder: Recorder) -> None:
        self.store, self.deleting, self.recorder = store, deleting, recorder
        self._planned = False
        store.listeners.append(self._hear)

    def _hear(self, change: Change) -> None:
        if change.key.resource in {"pods", "nodes", "persistentvolumeclaims"} and not self._planned:
            self._planned = True
            asyncio.get_running_loop().call_soon(self._look)

    def _look(self) -> None:
        self._planned = False
        for key, pod in self.store.items("pods"):
            if "nodeName" not in pod["spec"] and "deletionTimestamp" not in pod["metadata"]:
                self._place(key, pod)

    def _place(self, key: Key, pod: Object) -> None:
        obstacle = self._without_claim(key, pod)
        nodes = list(self.store.items("nodes"))
        reasons: Counter[str] = Counter()
        for node, kept in nodes if not obstacle else ():
            against = self._against(pod, kept)
            if not against:
                self._bind(key, node.name)
                return
            reasons.update(against)
        listed = ", ".join(sorted(f"{number} {reason}" for reason, number in reasons.items()))
        said = f"0/{len(nodes)} nodes are available: {obstacle or listed}."
        if not nodes:
            said = "no nodes available to schedule pods"
        elif not obstacle:
            said += f" preemption: 0/{len(nodes)} nodes are available: {len(nodes)} No preemption victims found."
        before = next((one for one in pod["status"].get("conditions", ()) if one["type"] == "PodScheduled"), {})
        if before.get("message") != said:
            self.store.amend(
                key, lambda one: set_condition(one["status"], "PodScheduled", "False", "Unschedulable", said)
            )
            self.recorder.write(pod, "FailedScheduling", said, component=COMPONENT, warning=True)

    def _without_claim(self, key: Key, pod: Object) -> str:
        for volume in pod["spec"].get("volumes", ()):
            claim = volume.get("persistentVolumeClaim", {}).get("claimName")
            if claim and self.store.get("persistentvolumeclaims", key.namespace, claim) is None:
                return f'persistentvolumeclaim "{claim}" not found'
        return ""

    def _bind(self, key: Key, node: str) -> None:
        def bind(pod: Object) -> None:
            pod["spec"]["nodeName"] = node
            set_condition(pod["status"], "PodScheduled", "True")
            scheduled = next(one for one in pod["status"]["conditions"] if one["type"] == "PodScheduled")
            scheduled.pop("reason", None)
            scheduled.pop("message", None)

        pod = self.store.amend(key, bind)
        assert pod
        said = f"Successfully assigned {key.namespace}/{key.name} to {node}"
        self.recorder.write(pod, "Scheduled", said, component=COMPONENT)

    def _against(self, pod: Object, node: Object) -> list[str]:
        """What speaks against this node, in the scheduler's words."""
        spec, labels = pod["spec"], node["metadata"].get("labels", {})
        if node["spec"].get("unschedulable"):
            return ["node(s) were unschedulable"]
        if not condition(node, "Ready"):
            return ["node(s) had untolerated taint {node.kubernetes.io/unreachable: }"]
        for taint in node["spec"].get("taints", ()):
            if taint["effect"] != "PreferNoSchedule" and not any(
                _tolerates(one, taint) for one in spec.get("tolerations", ())
            ):
                return [f"node(s) had untolerated taint {{{taint['key']}: {taint.get('value', '')}}}"]
        if any(labels.get(name) != value for name, value in spec.get("nodeSelector", {}).items()):
            return ["node(s) didn't match Pod's node affinity/selector"]
        return self._too_little(spec, node)

    def _too_little(self, spec: Object, node: Object) -> list[str]:
        room = node["status"]["allocatable"]
        there = [
            one["spec"]
            for _, one in self.store.items("pods")
            if one["spec"].get("nodeName") == node["metadata"]["name"]
            and one["status"]["phase"] not in {"Succeeded", "Failed"}
        ]
        short = [
            f"Insufficient {name}"
            for name in ("cpu", "memory")
            if wanted(spec, "requests", name) + sum((wanted(one, "requests", name) for one in there), Decimal(0))
            > amount(room[name])
        ]
        return [*short, *(["Too many pods"] if len(there) >= amount(room["pods"]) else [])]

    def disrupt(self, key: Key, reason: str, message: str) -> None:
        """Preemption, and eviction through the API: the pod is told to end, with its grace."""
        self.store.amend(key, lambda one: set_condition(one["status"], "DisruptionTarget", "True", reason, message))
        pod = self.store.objects[key]
        word = "Preempted" if reason == "PreemptionByScheduler" else "Evicted"
        self.recorder.write(pod, word, message, component=COMPONENT, warning=True)
        self.deleting.delete(key)


def _tolerates(toleration: Object, taint: Object) -> bool:
    if toleration.get("effect") not in {None, "", taint["effect"]}:
        return False
    if toleration.get("operator", "Equal") == "Exists":
        return toleration.get("key") in {None, "", taint["key"]}
    return bool(toleration.get("key") == taint["key"] and toleration.get("value", "") == taint.get("value", ""))

"""The kubelet: carries out what the scheduler gave to a node. Containers are processes of this machine."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass, field
from pathlib import Path

from tests.kubernetes.emulator.containers import Container, Log
from tests.kubernetes.emulator.deleting import Deleting
from tests.kubernetes.emulator.images import Image, Registry
from tests.kubernetes.emulator.pods import PodRun
from tests.kubernetes.emulator.recorder import Recorder
from tests.kubernetes.emulator.store import Change, Key, Object, Store, condition, set_condition

LOST_SECONDS = 0.5
"""How long a pod of a lost node is Terminating before it is counted as failed and taken away."""


@dataclass
class Kubelet:
    """One for all nodes."""

    store: Store
    deleting: Deleting
    recorder: Recorder
    registry: Registry
    folder: Path
    claims: dict[str, Path] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    """What every container gets besides, as `KUBERNETES_SERVICE_HOST` is on a cluster."""
    runs: dict[str, PodRun] = field(default_factory=dict)
    logs: dict[tuple[str, str], list[Log]] = field(default_factory=dict)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.store.listeners.append(self._hear)

    def _hear(self, change: Change) -> None:
        if change.key.resource != "pods":
            return
        pod, uid = change.object, change.object["metadata"]["uid"]
        run = self.runs.get(uid)
        if change.type == "DELETED":
            if run is not None:
                run.stop(0)
        elif run is None and "nodeName" in pod["spec"] and pod["status"]["phase"] == "Pending":
            run = self.runs[uid] = PodRun(self, change.key, uid)
            self.spawn(run)
        if run is not None and "deletionTimestamp" in pod["metadata"] and change.type == "MODIFIED":
            run.stop(pod["metadata"].get("deletionGracePeriodSeconds", 0))

    def spawn(self, run: PodRun) -> None:
        task = asyncio.get_running_loop().create_task(run.carry_out())
        self.tasks.add(task)

        def done(ended: asyncio.Task[None]) -> None:
            self.tasks.discard(ended)
            self.runs.pop(run.uid, None)

        task.add_done_callback(done)

    def log_of(self, pod_uid: str, container: str) -> Log:
        """A fresh log for another start of the container."""
        log = Log()
        self.logs.setdefault((pod_uid, container), []).append(log)
        return log

    def container(
        self, key: Key, spec: Object, image: Image, environment: dict[str, str], command: list[str]
    ) -> Container:
        uid = self.store.objects[key]["metadata"]["uid"]
        basis = {"PATH": os.environ["PATH"], "HOSTNAME": key.name, "HOME": "/"}
        return Container(
            uid=f"{uid}-{spec['name']}-{len(self.logs.get((uid, spec['name']), ()))}",
            command=command,
            cwd=Path(spec.get("workingDir") or image.cwd),
            environment=basis | self.environment | dict(image.environment) | environment,
            memory_limit=None,
            log=self.log_of(uid, spec["name"]),
        )

    def evict(self, key: Key, message: str) -> None:
        """A node short of memory or disk ends pods by itself, at once."""

        def mark(pod: Object) -> None:
            set_condition(pod["status"], "DisruptionTarget", "True", "TerminationByKubelet", message)
            pod["status"].update(phase="Failed", reason="Evicted", message=message)

        pod = self.store.amend(key, mark)
        assert pod
        self.recorder.write(pod, "Evicted", message, component="kubelet", warning=True)
        run = self.runs.get(pod["metadata"]["uid"])
        if run is not None:
            run.stop(0)

    def lose(self, node: str) -> None:
        """A node falls silent and its machine is gone, with what ran on it. Its pods are deleted and then given up."""
        said = "Kubelet stopped posting node status."
        key = Key("nodes", "", node)
        self.store.amend(key, lambda one: set_condition(one["status"], "Ready", "Unknown", "NodeStatusUnknown", said))
        for place, pod in self.store.items("pods"):
            if pod["spec"].get("nodeName") != node or pod["status"]["phase"] in {"Succeeded", "Failed"}:
                continue
            run = self.runs.get(pod["metadata"]["uid"])
            if run is not None:
                run.vanish()
            self.recorder.write(pod, "NodeNotReady", "Node is not ready", component="node-controller", warning=True)
            self.store.amend(place, _tainted)
            self.recorder.write(
                pod,
                "TaintManagerEviction",
                f"Marking for deletion Pod {place.namespace}/{place.name}",
                component="taint-eviction-controller",
            )
            self.deleting.delete(place)
            asyncio.get_running_loop().call_later(LOST_SECONDS, self._give_up, place, pod["metadata"]["uid"])

    def _give_up(self, key: Key, uid: str) -> None:
        """The node is gone for good: the pod collector fails its pods and takes them away."""
        pod = self.store.objects.get(key)
        if pod is not None and pod["metadata"]["uid"] == uid:
            self.store.amend(key, lambda one: one["status"].update(phase="Failed"))
            self.store.remove(key)

    def find(self, node: str) -> None:
        """The node is back, empty."""
        self.store.amend(
            Key("nodes", "", node), lambda one: set_condition(one["status"], "Ready", "True", "KubeletReady")
        )

    async def end(self) -> None:
        """Kill what still runs."""
        for run in list(self.runs.values()):
            run.stop(0)
        for task in list(self.tasks):
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)


def _tainted(pod: Object) -> None:
    said = "Taint manager: deleting due to NoExecute taint"
    set_condition(pod["status"], "DisruptionTarget", "True", "DeletionByTaintManager", said)
    set_condition(pod["status"], "Ready", "False")
    pod["status"]["reason"] = "NodeLost"
    pod["status"]["message"] = (
        f"Node {pod['spec']['nodeName']} which was running pod {pod['metadata']['name']} is unresponsive"
    )
    assert condition(pod, "DisruptionTarget")

"""Deployments and their like: they become ready when all their images can be had. They make no pods here."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from tests.kubernetes.emulator.images import Registry
from tests.kubernetes.emulator.store import Change, Key, Object, Store, set_condition

KINDS = {"deployments.apps", "statefulsets.apps", "replicasets.apps", "daemonsets.apps"}
READY_SECONDS = 0.1


@dataclass
class Workloads:
    store: Store
    registry: Registry
    held: set[str] = field(default_factory=set)
    """Names of those that a test keeps from becoming ready."""

    def __post_init__(self) -> None:
        self.store.listeners.append(self._hear)

    def _hear(self, change: Change) -> None:
        if change.key.resource in KINDS and change.type != "DELETED":
            asyncio.get_running_loop().call_later(READY_SECONDS, self.look, change.key)

    def look(self, key: Key) -> None:
        self.store.amend(key, self._report)

    def _report(self, one: Object) -> None:
        meta, spec, status = one["metadata"], one["spec"], one.setdefault("status", {})
        wanted = spec.get("replicas", 1)
        missing = [
            container["image"]
            for container in spec["template"]["spec"]["containers"]
            if container["image"] not in self.registry.images
        ]
        ready = not missing and meta["name"] not in self.held
        number = wanted if ready else 0
        status.update(observedGeneration=meta["generation"], replicas=wanted, updatedReplicas=wanted)
        status.update(readyReplicas=number, availableReplicas=number)
        if one["kind"] == "StatefulSet":
            status.update(currentReplicas=wanted, currentRevision="1", updateRevision="1")
        if one["kind"] == "DaemonSet":
            status.update(desiredNumberScheduled=1, updatedNumberScheduled=1, numberAvailable=int(ready))
        if one["kind"] == "Deployment":
            status.update(unavailableReplicas=wanted - number)
            available = "MinimumReplicasAvailable" if ready else "MinimumReplicasUnavailable"
            set_condition(status, "Available", "True" if ready else "False", available)
            set_condition(status, "Progressing", "True", "NewReplicaSetAvailable" if ready else "ReplicaSetUpdated")

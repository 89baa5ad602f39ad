"""Deletion and the garbage collector: grace, finalizers, and what goes with its owner."""

from __future__ import annotations

import asyncio

from tests.kubernetes.emulator.store import Change, Key, Object, Store, now

ORPHAN_CHECK_SECONDS = 0.3
FOREGROUND = "foregroundDeletion"


class Deleting:
    """Takes objects away as an API server does, and what they own as the garbage collector does."""

    def __init__(self, store: Store) -> None:
        self.store = store
        store.listeners.append(self._hear)

    def delete(self, key: Key, *, policy: str = "", grace: int | None = None) -> None:
        """`policy` as in `propagationPolicy`. Without one, the pods of a Job stay, as in batch/v1 of a real cluster."""
        kept = self.store.objects.get(key)
        if kept is None:
            return
        policy = policy or ("Orphan" if key.resource == "jobs.batch" else "Background")
        dependents = self.store.owned_by(kept["metadata"]["uid"])
        if policy == "Orphan":
            for below, _ in dependents:
                self.store.amend(below, lambda one: _let_go(one, kept["metadata"]["uid"]))
        elif policy == "Foreground" and dependents:
            self.store.amend(key, lambda one: _mark(one, grace, FOREGROUND))
            for below, _ in dependents:
                self.delete(below, policy="Foreground")
            return
        self._take(key, kept, grace)

    def _take(self, key: Key, kept: Object, grace: int | None) -> None:
        if key.resource == "pods" and _has_a_kubelet(kept) and grace != 0:
            seconds = kept["spec"]["terminationGracePeriodSeconds"] if grace is None else grace
            self.store.amend(key, lambda one: _mark(one, seconds))
        elif kept["metadata"].get("finalizers"):
            self.store.amend(key, lambda one: _mark(one, grace))
        else:
            self.store.remove(key)

    def _hear(self, change: Change) -> None:
        meta = change.object["metadata"]
        if change.type == "DELETED":
            for below, _ in self.store.owned_by(meta["uid"]):
                self._unless_owned(below)
            self._finish_owners(meta.get("ownerReferences", []))
            if change.key.resource == "namespaces":
                for key in [one for one in self.store.objects if one.namespace == change.key.name]:
                    self.delete(key, policy="Background", grace=0)
        elif change.type == "ADDED" and meta.get("ownerReferences"):
            asyncio.get_running_loop().call_later(ORPHAN_CHECK_SECONDS, self._unless_owned, change.key)
        elif "deletionTimestamp" in meta and not meta.get("finalizers") and change.key.resource != "pods":
            self.store.remove(change.key)

    def _unless_owned(self, key: Key) -> None:
        """Delete what has owners of which none is there any more."""
        kept = self.store.objects.get(key)
        owners = kept["metadata"].get("ownerReferences", []) if kept else []
        if owners and not self._there({owner["uid"] for owner in owners}):
            self.delete(key, policy="Background")

    def _there(self, uids: set[str]) -> bool:
        return any(one["metadata"]["uid"] in uids for one in self.store.objects.values())

    def _finish_owners(self, owners: list[Object]) -> None:
        for owner in owners:
            for key, kept in list(self.store.objects.items()):
                waiting = FOREGROUND in kept["metadata"].get("finalizers", ())
                if kept["metadata"]["uid"] == owner["uid"] and waiting and not self.store.owned_by(owner["uid"]):
                    self.store.amend(key, lambda one: one["metadata"]["finalizers"].remove(FOREGROUND))


def _has_a_kubelet(pod: Object) -> bool:
    return "nodeName" in pod["spec"] and pod["status"]["phase"] not in {"Succeeded", "Failed"}


def _let_go(one: Object, uid: str) -> None:
    meta = one["metadata"]
    meta["ownerReferences"] = [owner for owner in meta.get("ownerReferences", []) if owner["uid"] != uid]


def _mark(one: Object, grace: int | None, finalizer: str = "") -> None:
    meta = one["metadata"]
    meta.setdefault("deletionTimestamp", now())
    meta["deletionGracePeriodSeconds"] = min(grace or 0, meta.get("deletionGracePeriodSeconds", grace or 0))
    if finalizer and finalizer not in meta.get("finalizers", ()):
        meta["finalizers"] = [*meta.get("finalizers", ()), finalizer]

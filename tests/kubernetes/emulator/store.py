"""The cluster's memory: objects with versions, and what changed, in order, as long as it is remembered."""

from __future__ import annotations

import copy
import uuid
from collections import deque
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

Object = dict[str, Any]
REMEMBERED = 50_000


def now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def seconds_since(text: str) -> float:
    return (datetime.now(UTC) - datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)).total_seconds()


class Key(NamedTuple):
    """Where an object is kept. Objects without a namespace have an empty one."""

    resource: str
    namespace: str
    name: str


class Change(NamedTuple):
    """What a watch tells."""

    version: int
    key: Key
    type: str
    object: Object
    before: Object | None


class Store:
    """Objects by key. What is kept is never changed in place, so what is handed out stays as it was."""

    def __init__(self) -> None:
        self.version = 1000
        self.oldest = 0
        self.objects: dict[Key, Object] = {}
        self.history: deque[Change] = deque()
        self.listeners: list[Callable[[Change], None]] = []

    def get(self, resource: str, namespace: str, name: str) -> Object | None:
        return self.objects.get(Key(resource, namespace, name))

    def items(self, resource: str, namespace: str = "") -> Iterator[tuple[Key, Object]]:
        """All of a resource, or those of a namespace."""
        found = [
            (key, kept)
            for key, kept in self.objects.items()
            if key.resource == resource and namespace in {"", key.namespace}
        ]
        yield from found

    def owned_by(self, uid: str) -> list[tuple[Key, Object]]:
        return [
            (key, kept)
            for key, kept in self.objects.items()
            if any(owner["uid"] == uid for owner in kept["metadata"].get("ownerReferences", ()))
        ]

    def put(self, key: Key, given: Object) -> Object:
        """Keep a copy, with the next version."""
        kept, before = copy.deepcopy(given), self.objects.get(key)
        meta = kept.setdefault("metadata", {})
        meta["name"] = key.name
        if key.namespace:
            meta["namespace"] = key.namespace
        meta.setdefault("uid", str(uuid.uuid4()))
        meta.setdefault("creationTimestamp", now())
        if "spec" in kept:
            changed = before is not None and before.get("spec") != kept["spec"]
            meta["generation"] = meta.get("generation", 1) + changed
        self.version += 1
        meta["resourceVersion"] = str(self.version)
        self.objects[key] = kept
        self._tell(key, "MODIFIED" if before else "ADDED", kept, before)
        return kept

    def amend(self, key: Key, change: Callable[[Object], None]) -> Object | None:
        """Let `change` edit a copy of what is there, and keep it if it differs."""
        before = self.objects.get(key)
        if before is None:
            return None
        after = copy.deepcopy(before)
        change(after)
        return before if after == before else self.put(key, after)

    def remove(self, key: Key) -> None:
        before = self.objects.pop(key, None)
        if before is not None:
            self.version += 1
            last = copy.deepcopy(before)
            last["metadata"]["resourceVersion"] = str(self.version)
            self._tell(key, "DELETED", last, before)

    def compact(self) -> None:
        """Forget what changed so far; who comes back with an old version is told to list anew."""
        self.oldest = self.version
        self.history.clear()

    def since(self, version: int) -> list[Change]:
        fresh: list[Change] = []
        for change in reversed(self.history):
            if change.version <= version:
                break
            fresh.append(change)
        return fresh[::-1]

    def _tell(self, key: Key, type_: str, kept: Object, before: Object | None) -> None:
        change = Change(self.version, key, type_, kept, before)
        self.history.append(change)
        if len(self.history) > REMEMBERED:
            self.oldest = self.history.popleft().version
        for listener in list(self.listeners):
            listener(change)


def set_condition(status: Object, type_: str, value: str, reason: str = "", message: str = "") -> None:
    """Write one entry of `conditions`; its time moves only when its value does."""
    conditions = status.setdefault("conditions", [])
    entry = next((one for one in conditions if one["type"] == type_), None)
    if entry is None:
        conditions.append(entry := {"type": type_})
    if entry.get("status") != value:
        entry["lastTransitionTime"] = now()
    entry.update(status=value, **({"reason": reason} if reason else {}), **({"message": message} if message else {}))


def condition(kept: Object, type_: str) -> Object | None:
    """The entry of `conditions` that holds now."""
    found = kept.get("status", {}).get("conditions", ())
    return next((one for one in found if one["type"] == type_ and one["status"] == "True"), None)

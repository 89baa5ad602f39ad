"""Events as the parts of a cluster write them; the same thing again raises a count."""

from __future__ import annotations

import uuid

from tests.kubernetes.emulator.store import Key, Object, Store, now


class Recorder:
    def __init__(self, store: Store) -> None:
        self.store = store
        self._known: dict[tuple[str, str, str], Key] = {}

    def write(self, about: Object, reason: str, message: str, *, component: str, warning: bool = False) -> None:
        meta = about["metadata"]
        known = self._known.get((meta["uid"], reason, message))
        if known in self.store.objects:
            self.store.amend(known, _again)
            return
        namespace = meta.get("namespace", "default")
        key = Key("events", namespace, f"{meta['name']}.{uuid.uuid4().hex[:16]}")
        self._known[meta["uid"], reason, message] = key
        reference = {"kind": about["kind"], "apiVersion": about["apiVersion"], "name": meta["name"], "uid": meta["uid"]}
        reference |= {"namespace": meta.get("namespace", ""), "resourceVersion": meta["resourceVersion"]}
        event = {
            "apiVersion": "v1",
            "kind": "Event",
            "involvedObject": reference,
            "reason": reason,
            "message": message,
            "type": "Warning" if warning else "Normal",
            "source": {"component": component},
            "reportingComponent": component,
            "reportingInstance": "",
            "firstTimestamp": now(),
            "lastTimestamp": now(),
            "count": 1,
        }
        self.store.put(key, event)


def _again(event: Object) -> None:
    event["count"] += 1
    event["lastTimestamp"] = now()

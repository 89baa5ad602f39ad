"""What the API does with one object or with many: create, read, change, delete."""

from __future__ import annotations

import base64
import copy
import json
import uuid
from dataclasses import dataclass, field
from typing import Any

from tests.kubernetes.emulator import admission, patches
from tests.kubernetes.emulator.access import Access, Act, User
from tests.kubernetes.emulator.checking import check, check_update
from tests.kubernetes.emulator.deleting import Deleting
from tests.kubernetes.emulator.errors import ApiError, already_exists, conflict, gone, not_found
from tests.kubernetes.emulator.kinds import Kind
from tests.kubernetes.emulator.requests import Asked
from tests.kubernetes.emulator.scheduling import Scheduler
from tests.kubernetes.emulator.store import Key, Object, Store
from tests.kubernetes.emulator.tables import table

RETURNED = {"PersistentVolume", "PersistentVolumeClaim", "Pod", "ResourceQuota", "Service", "ServiceAccount"}
"""Kinds whose deletion answers with the object instead of a status."""
Answer = tuple[int, dict[str, Any], dict[str, str]]
ORPHANING = (
    '299 - "child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them'
)
ORPHANING += ' or set propagationPolicy=Orphan to suppress this warning"'


@dataclass
class Verbs:
    store: Store
    access: Access
    deleting: Deleting
    scheduler: Scheduler
    applied: dict[tuple[Key, str], Object] = field(default_factory=dict)
    """What each field manager applied last."""

    def carry_out(self, asked: Asked, user: User) -> Answer:
        if asked.kind.name == "SelfSubjectAccessReview":
            return self._review(asked, user)
        return {
            "list": self._list,
            "get": self._get,
            "create": self._create,
            "update": self._update,
            "patch": self._patch,
            "delete": self._delete,
            "deletecollection": self._delete_many,
        }[asked.verb](asked)

    def _found(self, asked: Asked) -> Object:
        kept = self.store.objects.get(asked.key)
        if kept is None:
            raise not_found(asked.kind, asked.name)
        return kept

    def _review(self, asked: Asked, user: User) -> Answer:
        wanted = asked.body["spec"].get("resourceAttributes", {})
        resource = "/".join(filter(None, [wanted.get("resource", ""), wanted.get("subresource", "")]))
        texts = (wanted.get(name, "") for name in ("namespace", "name"))
        act = Act(wanted.get("verb", ""), wanted.get("group", ""), resource, *texts)
        return 201, asked.body | {"status": {"allowed": self.access.may(user, act)}}, {}

    def chosen(self, asked: Asked) -> list[Object]:
        return [kept for _, kept in self.store.items(asked.kind.resource, asked.namespace) if asked.selects(kept)]

    def _list(self, asked: Asked) -> Answer:
        found, meta = self.chosen(asked), {"resourceVersion": str(self.store.version)}
        start = 0
        if "continue" in asked.query:
            start, version = json.loads(base64.urlsafe_b64decode(asked.query["continue"]))
            if version < self.store.oldest:
                raise gone(version, self.store.oldest)
            meta["resourceVersion"] = str(version)
        limit = int(asked.query.get("limit") or 0)
        if limit and len(found) > start + limit:
            place = json.dumps([start + limit, int(meta["resourceVersion"])]).encode()
            meta["continue"] = base64.urlsafe_b64encode(place).decode()
        found = found[start : start + limit] if limit else found[start:]
        if asked.as_table:
            shown = table(asked.kind, self.store.version, found)
            shown["metadata"] = meta
            return 200, shown, {}
        kind = f"{asked.kind.name}List"
        return 200, {"kind": kind, "apiVersion": asked.kind.group_version, "metadata": meta, "items": found}, {}

    def _get(self, asked: Asked) -> Answer:
        kept = self._found(asked)
        return 200, table(asked.kind, self.store.version, [kept]) if asked.as_table else kept, {}

    def _create(self, asked: Asked) -> Answer:
        if asked.subresource == "eviction":
            self._found(asked)
            self.scheduler.disrupt(asked.key, "EvictionByEvictionAPI", "Eviction API: evicting")
            return 201, {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}, {}
        given = _typed(asked.kind, asked.body)
        meta = given.setdefault("metadata", {})
        if not meta.get("name") and meta.get("generateName"):
            meta["name"] = meta["generateName"] + uuid.uuid4().hex[:5]
        return 201, self._admitted(asked, given), {}

    def _admitted(self, asked: Asked, given: Object) -> Object:
        """Checked, completed, let in and kept."""
        check(asked.kind, given)
        key = Key(asked.kind.resource, asked.key.namespace, given["metadata"]["name"])
        if key in self.store.objects:
            raise already_exists(asked.kind, key.name)
        given = copy.deepcopy(given)
        for name in ("uid", "resourceVersion", "creationTimestamp", "deletionTimestamp", "managedFields"):
            given["metadata"].pop(name, None)
        admission.complete(asked.kind, given)
        admission.admit(self.store, asked.kind, key.namespace, given)
        if asked.is_set("dryRun"):
            return given
        kept = self.store.put(key, given)
        if asked.kind.name == "Namespace":
            account = {"apiVersion": "v1", "kind": "ServiceAccount"}
            self.store.put(Key("serviceaccounts", key.name, "default"), account)
        return kept

    def _update(self, asked: Asked) -> Answer:
        before = self._found(asked)
        given = _typed(asked.kind, asked.body)
        version = given.get("metadata", {}).get("resourceVersion")
        if version and version != before["metadata"]["resourceVersion"]:
            raise conflict(asked.kind, asked.name)
        return 200, self._replaced(asked, before, given), {}

    def _replaced(self, asked: Asked, before: Object, after: Object) -> Object:
        after = copy.deepcopy(after)
        if asked.subresource == "status":
            after = copy.deepcopy(before) | {"status": after.get("status", {})}
        elif "status" in before:
            after["status"] = copy.deepcopy(before["status"])
        for name in ("uid", "creationTimestamp", "generation", "resourceVersion", "deletionTimestamp"):
            if name in before["metadata"]:
                after["metadata"][name] = before["metadata"][name]
        check(asked.kind, after)
        if asked.kind.name in {"Secret", "Service"}:
            admission.complete(asked.kind, after)
        if "spec" in before:
            check_update(asked.kind, before, after)
        if asked.is_set("dryRun"):
            return after
        return before if after == before else self.store.put(asked.key, after)

    def _patch(self, asked: Asked) -> Answer:
        if asked.content_type == "application/apply-patch+yaml":
            return self._apply(asked)
        before = self._found(asked)
        if asked.content_type == "application/json-patch+json":
            after = patches.json_patch(before, asked.body)
        else:
            after = patches.merge(before, asked.body, strategic="strategic" in asked.content_type)
        version = asked.body.get("metadata", {}).get("resourceVersion") if isinstance(asked.body, dict) else None
        if version and version != before["metadata"]["resourceVersion"]:
            raise conflict(asked.kind, asked.name)
        return 200, self._replaced(asked, before, after), {}

    def _apply(self, asked: Asked) -> Answer:
        manager = asked.query.get("fieldManager", "")
        if not manager:
            raise ApiError(422, "PatchOptions.meta.k8s.io is invalid: fieldManager: Required value")
        said, before = _typed(asked.kind, asked.body), self.store.objects.get(asked.key)
        said.setdefault("metadata", {}).setdefault("name", asked.name)
        if before is None:
            code, kept = 201, self._admitted(asked, said)
        else:
            plain = copy.deepcopy(said)
            if asked.kind.name == "Secret":
                admission.complete(asked.kind, plain)
            after = patches.apply(before, self.applied.get((asked.key, manager), {}), plain)
            code, kept = 200, self._replaced(asked, before, after)
        if not asked.is_set("dryRun"):
            self.applied[asked.key, manager] = said
        return code, kept, {}

    def _delete(self, asked: Asked) -> Answer:
        kept = self._found(asked)
        options = asked.body if isinstance(asked.body, dict) else {}
        policy = asked.query.get("propagationPolicy") or options.get("propagationPolicy") or ""
        grace = options.get("gracePeriodSeconds", asked.query.get("gracePeriodSeconds"))
        wanted = options.get("preconditions") or {}
        if wanted.get("uid", kept["metadata"]["uid"]) != kept["metadata"]["uid"]:
            raise conflict(asked.kind, asked.name)
        headers = {"Warning": ORPHANING} if asked.kind.name == "Job" and not policy else {}
        if asked.is_set("dryRun"):
            return 200, kept, {}
        self.deleting.delete(asked.key, policy=policy, grace=None if grace is None else int(grace))
        if asked.kind.name in RETURNED:
            return 200, self.store.objects.get(asked.key, kept), headers
        if asked.key in self.store.objects:
            return 200, self.store.objects[asked.key], headers
        details = {
            "name": asked.name,
            "group": asked.kind.group,
            "kind": asked.kind.plural,
            "uid": kept["metadata"]["uid"],
        }
        return (
            200,
            {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details},
            headers,
        )

    def _delete_many(self, asked: Asked) -> Answer:
        found = self.chosen(asked)
        options = asked.body if isinstance(asked.body, dict) else {}
        policy = asked.query.get("propagationPolicy") or options.get("propagationPolicy") or ""
        for kept in found:
            key = Key(asked.kind.resource, kept["metadata"].get("namespace", ""), kept["metadata"]["name"])
            self.deleting.delete(key, policy=policy, grace=options.get("gracePeriodSeconds"))
        kind = f"{asked.kind.name}List"
        meta = {"resourceVersion": str(self.store.version)}
        return 200, {"kind": kind, "apiVersion": asked.kind.group_version, "metadata": meta, "items": found}, {}


def _typed(kind: Kind, body: Any) -> Object:
    if not isinstance(body, dict):
        raise ApiError(400, "the object provided is unrecognized")
    if body.get("kind", kind.name) != kind.name:
        raise ApiError(400, f"{kind.name} in version {kind.group_version} cannot be handled as a {body['kind']}")
    return body | {"apiVersion": kind.group_version, "kind": kind.name}

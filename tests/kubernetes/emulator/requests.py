"""A request to the API, read: who wants what of which object."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import yaml
from aiohttp import web

from tests.kubernetes.emulator import protobuf
from tests.kubernetes.emulator.access import Act
from tests.kubernetes.emulator.errors import ApiError, no_such_address
from tests.kubernetes.emulator.kinds import BY_ADDRESS, Kind
from tests.kubernetes.emulator.store import Key, Object

VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch"}


@dataclass
class Asked:
    """What is asked for."""

    kind: Kind
    verb: str
    namespace: str = ""
    name: str = ""
    subresource: str = ""
    query: dict[str, str] = field(default_factory=dict)
    body: Any = None
    content_type: str = ""
    as_table: bool = False

    @property
    def key(self) -> Key:
        return Key(self.kind.resource, self.namespace if self.kind.namespaced else "", self.name)

    @property
    def act(self) -> Act:
        resource = f"{self.kind.plural}/{self.subresource}" if self.subresource else self.kind.plural
        return Act(self.verb, self.kind.group, resource, self.namespace, self.name)

    def is_set(self, option: str) -> bool:
        return self.query.get(option, "") in {"1", "true", "True", "All"}

    def selects(self, kept: Object) -> bool:
        """Whether the selectors of a list or a watch choose this object."""
        labels = kept["metadata"].get("labels") or {}
        return _by_labels(labels, self.query.get("labelSelector", "")) and _by_fields(
            kept, self.query.get("fieldSelector", "")
        )


def parse(request: web.Request) -> Asked:
    """From method and address; the body is read later."""
    parts = [part for part in request.path.split("/") if part]
    if parts[:1] == ["api"] and len(parts) > 2:
        group_version, rest = parts[1], parts[2:]
    elif parts[:1] == ["apis"] and len(parts) > 3:
        group_version, rest = "/".join(parts[1:3]), parts[3:]
    else:
        raise no_such_address()
    namespace = ""
    if rest[0] == "namespaces" and len(rest) > 2 and rest[2] not in {"status", "finalize"}:
        namespace, rest = rest[1], rest[2:]
    kind = BY_ADDRESS.get((group_version, rest[0]))
    if kind is None:
        raise no_such_address()
    name, subresource = (rest[1:2] or [""])[0], "/".join(rest[2:])
    asked = Asked(kind, "", namespace, name, subresource, dict(request.query), content_type=request.content_type)
    asked.as_table = "as=Table" in request.headers.get("Accept", "")
    watching = asked.is_set("watch")
    asked.verb = {
        "GET": "get" if name else "watch" if watching else "list",
        "DELETE": "delete" if name else "deletecollection",
    }.get(request.method) or VERBS[request.method]
    return asked


async def read_body(asked: Asked, request: web.Request) -> None:
    raw = await request.read()
    if not raw:
        return
    if "protobuf" in asked.content_type:
        deletes = asked.verb.startswith("delete")
        asked.body = protobuf.decoded_options(raw) if deletes else protobuf.decoded(asked.kind, raw)
        return
    try:
        asked.body = yaml.safe_load(raw) if "yaml" in asked.content_type else json.loads(raw)
    except ValueError as error:
        raise ApiError(400, f"the object provided is unrecognized: {error}") from None


def _by_labels(labels: dict[str, str], selector: str) -> bool:
    return all(_fits(labels, term.strip()) for term in _terms(selector))


def _terms(selector: str) -> list[str]:
    """Split at commas that stand in no brackets."""
    found, depth = [""], 0
    for letter in selector:
        depth += (letter == "(") - (letter == ")")
        if letter == "," and not depth:
            found.append("")
        else:
            found[-1] += letter
    return [term for term in found if term.strip()]


def _fits(labels: dict[str, str], term: str) -> bool:
    for word, wanted in ((" notin ", False), (" in ", True)):
        if word in term:
            name, _, listed = term.partition(word)
            values = {one.strip() for one in listed.strip().strip("()").split(",")}
            return (labels.get(name.strip()) in values) == wanted
    if "!=" in term:
        name, _, value = term.partition("!=")
        return labels.get(name.strip()) != value.strip()
    if "=" in term:
        name, _, value = term.replace("==", "=").partition("=")
        return labels.get(name.strip()) == value.strip()
    return term[1:] not in labels if term.startswith("!") else term in labels


def _by_fields(kept: Object, selector: str) -> bool:
    for term in _terms(selector):
        path, _, wanted = term.replace("==", "=").partition("=")
        negated = path.endswith("!")
        value: Any = kept
        for part in path.rstrip("!").split("."):
            value = value.get(part, "") if isinstance(value, dict) else ""
        if (str(value) == wanted) == negated:
            return False
    return True

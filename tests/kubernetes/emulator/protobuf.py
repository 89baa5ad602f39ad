"""The few messages that kubectl and Helm send as protobuf: client-go's typed clients do, and offer no choice."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

from tests.kubernetes.emulator.errors import ApiError
from tests.kubernetes.emulator.kinds import Kind

MAGIC = b"k8s\x00"
Fields = dict[int, list[Any]]
ATTRIBUTES = ("", "namespace", "verb", "group", "version", "resource", "subresource", "name")


def _number(raw: bytes, place: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = raw[place]
        value |= (byte & 0x7F) << shift
        place, shift = place + 1, shift + 7
        if not byte & 0x80:
            return value, place


def fields(raw: bytes) -> Fields:
    """A message as its numbered fields; only numbers and what has a length occur here."""
    found: Fields = {}
    place = 0
    while place < len(raw):
        tag, place = _number(raw, place)
        value: Any
        if tag & 7 == 2:
            length, place = _number(raw, place)
            value, place = raw[place : place + length], place + length
        else:
            value, place = _number(raw, place)
        found.setdefault(tag >> 3, []).append(value)
    return found


def _message(raw: bytes) -> Fields:
    """The object inside the envelope."""
    return fields(fields(raw.removeprefix(MAGIC))[2][0])


def _text(message: Fields, number: int) -> str:
    return bytes(message.get(number, [b""])[0]).decode()


def _mapping(entries: list[bytes], read: Callable[[bytes], str]) -> dict[str, str]:
    pairs = [fields(entry) for entry in entries]
    return {_text(pair, 1): read(pair.get(2, [b""])[0]) for pair in pairs}


def _owner(raw: bytes) -> dict[str, Any]:
    message = fields(raw)
    names = {1: "kind", 3: "name", 4: "uid", 5: "apiVersion"}
    found: dict[str, Any] = {name: _text(message, number) for number, name in names.items()}
    return found | {
        name: True for number, name in ((6, "controller"), (7, "blockOwnerDeletion")) if message.get(number)
    }


def _metadata(raw: bytes) -> dict[str, Any]:
    message = fields(raw)
    names = {1: "name", 2: "generateName", 3: "namespace", 5: "uid", 6: "resourceVersion"}
    found: dict[str, Any] = {name: _text(message, number) for number, name in names.items()}
    found["labels"] = _mapping(message.get(11, []), bytes.decode)
    found["annotations"] = _mapping(message.get(12, []), bytes.decode)
    found["ownerReferences"] = [_owner(one) for one in message.get(13, [])]
    return {name: value for name, value in found.items() if value}


def _encoded(value: bytes) -> str:
    return base64.b64encode(value).decode()


def _review(message: Fields) -> dict[str, Any]:
    asked = fields(fields(message[2][0]).get(1, [b""])[0])
    attributes = {ATTRIBUTES[number]: bytes(value[0]).decode() for number, value in asked.items() if number < 8}
    return {"metadata": {}, "spec": {"resourceAttributes": attributes}}


def decoded(kind: Kind, raw: bytes) -> dict[str, Any]:
    """An object as JSON would have it."""
    message = _message(raw)
    body: dict[str, Any] = {"apiVersion": kind.group_version, "kind": kind.name}
    if kind.name == "SelfSubjectAccessReview":
        return body | _review(message)
    body["metadata"] = _metadata(message[1][0])
    if kind.name == "Secret":
        kind_of_secret = {"type": _text(message, 3)} if message.get(3) else {}
        return body | {"data": _mapping(message.get(2, []), _encoded)} | kind_of_secret
    if kind.name == "ConfigMap":
        return body | {"data": _mapping(message.get(2, []), bytes.decode)}
    if kind.name in {"Namespace", "ServiceAccount"}:
        return body
    raise ApiError(
        415,
        "the body of the request was in an unknown format - accepted media types include: application/json,"
        " application/yaml",
    )


def decoded_options(raw: bytes) -> dict[str, Any]:
    """The body of a deletion."""
    message = _message(raw)
    found: dict[str, Any] = {}
    if message.get(1):
        found["gracePeriodSeconds"] = message[1][0]
    if message.get(4):
        found["propagationPolicy"] = _text(message, 4)
    return found

"""The tables that `kubectl get` prints; the server makes their rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.kubernetes.emulator.kinds import Kind
from tests.kubernetes.emulator.store import Object, condition, seconds_since


def _age(one: Object) -> str:
    seconds = int(seconds_since(one["metadata"]["creationTimestamp"]))
    return f"{seconds}s" if seconds < 120 else f"{seconds // 60}m"


def _job(one: Object) -> list[object]:
    status = one.get("status", {})
    ended = next((name for name in ("Complete", "Failed", "Suspended") if condition(one, name)), "Running")
    return [ended, f"{status.get('succeeded', 0)}/{one['spec']['completions']}"]


def _pod(one: Object) -> list[object]:
    status = one["status"]
    statuses = status.get("containerStatuses", [])
    shown = status.get("reason") or status["phase"]
    for entry in statuses:
        told = entry["state"].get("waiting") or entry["state"].get("terminated") or {}
        shown = told.get("reason", shown)
    if "deletionTimestamp" in one["metadata"]:
        shown = "Terminating"
    ready = sum(entry["ready"] for entry in statuses)
    return [f"{ready}/{len(one['spec']['containers'])}", shown, sum(entry["restartCount"] for entry in statuses)]


def _workload(one: Object) -> list[object]:
    status = one.get("status", {})
    return [f"{status.get('readyReplicas', 0)}/{one['spec'].get('replicas', 1)}", status.get("availableReplicas", 0)]


def _event(one: Object) -> list[object]:
    about = one["involvedObject"]
    return [one["type"], one["reason"], f"{about['kind'].lower()}/{about['name']}", one["message"]]


COLUMNS: dict[str, tuple[list[str], Callable[[Object], list[object]]]] = {
    "Job": (["Status", "Completions"], _job),
    "Pod": (["Ready", "Status", "Restarts"], _pod),
    "Deployment": (["Ready", "Available"], _workload),
    "StatefulSet": (["Ready", "Available"], _workload),
    "Event": (["Type", "Reason", "Object", "Message"], _event),
    "Secret": (["Type", "Data"], lambda one: [one.get("type", ""), len(one.get("data") or {})]),
    "ConfigMap": (["Data"], lambda one: [len(one.get("data") or {})]),
    "Namespace": (["Status"], lambda one: [one["status"]["phase"]]),
    "Node": (["Status"], lambda one: ["Ready" if condition(one, "Ready") else "NotReady"]),
}


def table(kind: Kind, version: int, found: list[Object]) -> dict[str, Any]:
    names, cells = COLUMNS.get(kind.name, ([], lambda _: []))
    definitions = [
        {"name": name, "type": "string", "format": "", "description": "", "priority": 0}
        for name in ["Name", *names, "Age"]
    ]
    rows = [
        {
            "cells": [one["metadata"]["name"], *cells(one), _age(one)],
            "object": {
                "kind": "PartialObjectMetadata",
                "apiVersion": "meta.k8s.io/v1",
                "metadata": one["metadata"],
            },
        }
        for one in found
    ]
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": {"resourceVersion": str(version)},
        "columnDefinitions": definitions,
        "rows": rows,
    }

"""Renders the chart with real Helm, and knows the installations that the tests look at."""

from __future__ import annotations

import json
import os
import re
import sys
from contextlib import contextmanager
from functools import cache
from typing import Any

import helm_python as helm
import yaml

from mindloom.environment import BASE_DIR

CHART = BASE_DIR / "deploy" / "helm" / "mindloom"
NAMESPACE = "prod"
Object = dict[str, Any]

_ALL_OUTSIDE: dict[str, Any] = {
    "secrets": {"kind": "existing", "existingName": "mindloom", "also": ["SMTP_PASSWORD"]},
    "database": {"kind": "external"},
    "redis": {"kind": "external"},
}
_S3 = {"kind": "s3", "s3": {"bucket": "mindloom-files", "endpoint": "https://minio.example.org", "prefix": "mindloom"}}
INSTALLATIONS: dict[str, dict[str, Any]] = {
    "nothing said": {},
    "one node": {
        "files": {"claim": {"accessModes": ["ReadWriteOnce"]}},
        "web": {"replicas": 1},
        "worker": {"replicas": 1, "concurrency": 4, "drainSeconds": 10},
        "scheduler": {"replicas": 1},
        "podDisruptionBudgets": {"enabled": False},
        "topologySpread": {"enabled": False},
    },
    "everything outside": {
        **_ALL_OUTSIDE,
        "files": _S3,
        "image": {"repository": "registry.example.org/mindloom", "tag": "1.4.0", "pullSecrets": ["registry"]},
        "ingress": {"enabled": True, "host": "mindloom.example.org"},
        "settings": {"SMTP_HOST": "mail.example.org", "DOCUMENT_MAX_BYTES": 104857600, "SMTP_TLS": True},
        "metrics": {"enabled": True, "serviceMonitor": {"enabled": True, "labels": {"release": "prometheus"}}},
        "worker": {"autoscaling": {"enabled": True}, "priorityClassName": "high"},
        "executor": {"enabled": True, "default": "kubernetes", "runtimeClassName": "gvisor", "maxMemoryMb": 1048576},
        "networkPolicy": {
            "database": {"cidrs": ["10.1.0.5/32"], "ports": [5432]},
            "redis": {"cidrs": ["10.1.0.6/32"], "ports": [6380]},
            "kubernetes": {"cidrs": ["10.0.0.1/32"], "ports": [6443]},
        },
        "tests": {"tokenSecretName": "journey", "agent": "0b5cbb5e-8d0f-4b0e-9d0b-0f7b6f0a3c11"},
    },
    "secrets by an operator": {
        "secrets": {"kind": "external", "also": ["OPENAI_API_KEY"], "external": {"storeName": "vault"}},
        "worker": {"autoscaling": {"enabled": True, "by": "keda", "prometheus": "http://prometheus.monitoring:9090"}},
        "metrics": {"enabled": True},
        "ingress": {"enabled": True, "host": "mindloom.example.org", "className": "", "tls": {"enabled": False}},
    },
    "runs in pods beside": {
        "executor": {
            "enabled": True,
            "nodeSelector": {"pool": "runs"},
            "tolerations": [{"key": "runs", "operator": "Exists", "effect": "NoSchedule"}],
        },
        "web": {"nodeSelector": {"pool": "web"}, "tolerations": [{"operator": "Exists"}], "podAnnotations": {"a": "b"}},
    },
    "runs in pods elsewhere": {
        **_ALL_OUTSIDE,
        "files": _S3 | {"s3": {"bucket": "mindloom-files", "region": "eu-central-1", "keys": False}},
        "serviceAccounts": {"annotations": {"eks.amazonaws.com/role-arn": "arn:aws:iam::111122223333:role/files"}},
        "executor": {"enabled": True, "namespace": "mindloom-runs", "image": "registry.example.org/runs:3"},
    },
    "two colours": {
        "colours": {"newest": "green", "green": {"enabled": True, "tag": "2.0.0"}, "blue": {"tag": "1.9.0"}},
        "executor": {"enabled": True},
    },
    "the other colour": {
        "colours": {
            "active": "green",
            "blue": {"enabled": False},
            "green": {"enabled": True, "tag": "sha256:" + "a" * 64},
        },
        "worker": {"autoscaling": {"enabled": True}},
        "metrics": {"enabled": True},
    },
    "database outside, secrets made": {
        "database": {"kind": "external", "secretName": "postgres", "secretKey": "uri"},
        "networkPolicy": {"enabled": False},
        "url": "https://agents.example.org",
    },
}
"""Values by what they are for; between them every value of the chart is used."""

OUTSIDE = {"mindloom", "postgres", "journey", "registry", "high", "gvisor"}
"""What these installations expect to be there: Secrets, classes of priority and of runtimes."""
TESTED = [(name, upgrade) for name in INSTALLATIONS for upgrade in (False, True)]


@contextmanager
def quiet():
    """Helm's library writes to the process's own standard error that it followed our symbolic link."""
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def texts(values: dict[str, Any], *, upgrade: bool = False, release: str = "demo") -> dict[str, str]:
    """What each template becomes."""
    return _texts(json.dumps(values), upgrade, release)


@cache
def _texts(values: str, upgrade: bool, release: str) -> dict[str, str]:
    with quiet(), helm.Chart.load(CHART) as chart:
        return chart.render(
            json.loads(values), name=release, namespace=NAMESPACE, is_upgrade=upgrade, is_install=not upgrade
        )


def rendered(values: dict[str, Any], **how: Any) -> list[Object]:
    """The objects that the chart makes of the values."""
    found = texts(values, **how)
    return [one for name, text in found.items() if name.endswith(".yaml") for one in objects_of(text)]


def objects_of(text: str) -> list[Object]:
    """The objects of a file, without empty documents."""
    return [one for one in yaml.load_all(text, yaml.CSafeLoader) if one]


def named(objects: list[Object], kind: str, name: str) -> Object:
    """The one of this kind whose name ends so."""
    found = [one for one in objects if one["kind"] == kind and one["metadata"]["name"].endswith(name)]
    assert len(found) == 1, f"{kind} {name}: {[one['metadata']['name'] for one in found]}"
    return found[0]


def label(one: Object) -> str:
    """How messages name it."""
    return f"{one['kind']} {one['metadata']['name']}"


def pod_of(one: Object) -> Object | None:
    """The pod that it makes: {metadata, spec}; None when it makes none."""
    if one["kind"] == "Pod":
        return one
    template = (one.get("spec") or {}).get("template")
    return template if isinstance(template, dict) and "spec" in template else None


def containers(pod: Object) -> list[Object]:
    """All of a pod's, those that come before the others, too."""
    return [*pod["spec"].get("initContainers", []), *pod["spec"]["containers"]]


def hook(one: Object) -> str:
    """When Helm makes it, if not with everything else."""
    return str(one["metadata"].get("annotations", {}).get("helm.sh/hook", ""))


def matches(selector: Object | None, labels: dict[str, str]) -> bool:
    """Whether a label selector, as in Kubernetes, takes these labels."""
    selector = selector or {}
    if any(labels.get(key) != value for key, value in selector.get("matchLabels", {}).items()):
        return False
    for one in selector.get("matchExpressions", []):
        assert one["operator"] == "In", one
        if labels.get(one["key"]) not in one["values"]:
            return False
    return True


NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
"""Of things that become part of a host name."""

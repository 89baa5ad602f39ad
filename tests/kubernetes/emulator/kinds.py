"""What the emulated cluster keeps: kinds of objects, their addresses and their short names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")


@dataclass(frozen=True)
class Kind:
    """One kind of object, as discovery describes it."""

    group: str
    version: str
    plural: str
    name: str
    short: tuple[str, ...] = ()
    namespaced: bool = True
    subresources: tuple[str, ...] = ("status",)
    verbs: tuple[str, ...] = VERBS

    @property
    def group_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def resource(self) -> str:
        """How errors and keys name it: `pods`, `jobs.batch`."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    def described(self) -> list[dict[str, Any]]:
        """Its entries of discovery: itself and what hangs below it."""
        base = {"kind": self.name, "namespaced": self.namespaced, "singularName": ""}
        own = base | {"name": self.plural, "singularName": self.name.lower(), "verbs": list(self.verbs)}
        if self.short:
            own["shortNames"] = list(self.short)
        if self.plural in {"pods", "jobs", "deployments", "statefulsets", "replicasets", "services", "cronjobs"}:
            own["categories"] = ["all"]
        return [own, *(base | {"name": f"{self.plural}/{sub}", "verbs": ["get"]} for sub in self.subresources)]


def _kinds(group: str, version: str, *rows: tuple[str, str, str], namespaced: bool = True) -> list[Kind]:
    return [Kind(group, version, plural, name, tuple(short.split()), namespaced) for plural, name, short in rows]


KINDS = [
    Kind("", "v1", "pods", "Pod", ("po",), subresources=("status", "log", "eviction")),
    *_kinds(
        "",
        "v1",
        ("configmaps", "ConfigMap", "cm"),
        ("endpoints", "Endpoints", "ep"),
        ("events", "Event", "ev"),
        ("limitranges", "LimitRange", "limits"),
        ("persistentvolumeclaims", "PersistentVolumeClaim", "pvc"),
        ("resourcequotas", "ResourceQuota", "quota"),
        ("secrets", "Secret", ""),
        ("serviceaccounts", "ServiceAccount", "sa"),
        ("services", "Service", "svc"),
    ),
    *_kinds(
        "",
        "v1",
        ("namespaces", "Namespace", "ns"),
        ("nodes", "Node", "no"),
        ("persistentvolumes", "PersistentVolume", "pv"),
        namespaced=False,
    ),
    *_kinds("batch", "v1", ("jobs", "Job", ""), ("cronjobs", "CronJob", "cj")),
    *_kinds(
        "apps",
        "v1",
        ("daemonsets", "DaemonSet", "ds"),
        ("deployments", "Deployment", "deploy"),
        ("replicasets", "ReplicaSet", "rs"),
        ("statefulsets", "StatefulSet", "sts"),
    ),
    *_kinds("autoscaling", "v2", ("horizontalpodautoscalers", "HorizontalPodAutoscaler", "hpa")),
    *_kinds("policy", "v1", ("poddisruptionbudgets", "PodDisruptionBudget", "pdb")),
    *_kinds("networking.k8s.io", "v1", ("ingresses", "Ingress", "ing"), ("networkpolicies", "NetworkPolicy", "netpol")),
    *_kinds("networking.k8s.io", "v1", ("ingressclasses", "IngressClass", ""), namespaced=False),
    *_kinds("rbac.authorization.k8s.io", "v1", ("roles", "Role", ""), ("rolebindings", "RoleBinding", "")),
    *_kinds(
        "rbac.authorization.k8s.io",
        "v1",
        ("clusterroles", "ClusterRole", ""),
        ("clusterrolebindings", "ClusterRoleBinding", ""),
        namespaced=False,
    ),
    Kind(
        "authorization.k8s.io",
        "v1",
        "selfsubjectaccessreviews",
        "SelfSubjectAccessReview",
        namespaced=False,
        subresources=(),
        verbs=("create",),
    ),
    *_kinds("coordination.k8s.io", "v1", ("leases", "Lease", "")),
    *_kinds("scheduling.k8s.io", "v1", ("priorityclasses", "PriorityClass", "pc"), namespaced=False),
    *_kinds("node.k8s.io", "v1", ("runtimeclasses", "RuntimeClass", ""), namespaced=False),
    *_kinds("storage.k8s.io", "v1", ("storageclasses", "StorageClass", "sc"), namespaced=False),
    *_kinds(
        "apiextensions.k8s.io",
        "v1",
        ("customresourcedefinitions", "CustomResourceDefinition", "crd crds"),
        namespaced=False,
    ),
    # Kinds of well-known extensions: kept and watched, without a schema and without anybody who acts on them.
    *_kinds(
        "monitoring.coreos.com", "v1", ("servicemonitors", "ServiceMonitor", ""), ("podmonitors", "PodMonitor", "")
    ),
    *_kinds("external-secrets.io", "v1", ("externalsecrets", "ExternalSecret", "es")),
]
BY_ADDRESS = {(kind.group_version, kind.plural): kind for kind in KINDS}
BY_RESOURCE = {kind.resource: kind for kind in KINDS}
GROUP_VERSIONS = list(dict.fromkeys(kind.group_version for kind in KINDS))


def group_list() -> dict[str, Any]:
    """What `/apis` says."""
    groups = []
    for group_version in GROUP_VERSIONS:
        group, _, version = group_version.partition("/")
        if version:
            entry = {"groupVersion": group_version, "version": version}
            groups.append({"name": group, "versions": [entry], "preferredVersion": entry})
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}


def resource_list(group_version: str) -> dict[str, Any]:
    """What `/api/v1` and `/apis/<group>/<version>` say."""
    found = [kind for kind in KINDS if kind.group_version == group_version]
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": group_version,
        "resources": [entry for kind in found for entry in kind.described()],
    }


def openapi(path: str) -> dict[str, Any]:
    """As much of `/openapi/v3` as kubectl needs to leave checking fields to the server."""
    paths = {("api/v1" if one == "v1" else f"apis/{one}"): one for one in GROUP_VERSIONS}
    if not path:
        return {"paths": {one: {"serverRelativeURL": f"/openapi/v3/{one}"} for one in paths}}
    options = [{"name": name, "in": "query"} for name in ("fieldValidation", "dryRun")]
    operations = {
        f"/{path}/{kind.plural}/{{name}}": {
            "patch": {
                "x-kubernetes-action": "patch",
                "x-kubernetes-group-version-kind": {"group": kind.group, "version": kind.version, "kind": kind.name},
                "parameters": options,
            }
        }
        for kind in KINDS
        if kind.group_version == paths.get(path)
    }
    return {"openapi": "3.0.0", "info": {"title": "Kubernetes", "version": "v1.32.0"}, "paths": operations}

"""Whether an API server would take an object: the published schemas, strictly, and what schemas cannot say."""

from __future__ import annotations

import re
from typing import Any

import kubernetes_validate
from kubernetes_validate import SchemaNotFoundError, ValidationError

from tests.kubernetes.emulator.errors import ApiError, Cause, invalid
from tests.kubernetes.emulator.kinds import Kind
from tests.kubernetes.emulator.pod_checks import Found, check_pod, label_map, wrong

VERSION = "1.32"
SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
PATH_NAME = re.compile(r"[^/%]+")
RBAC_KINDS = {"Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"}


def check(kind: Kind, given: dict[str, Any]) -> None:
    """Raise what an API server would answer."""
    _schema(kind, given)
    found: Found = []
    meta = given["metadata"]
    _name(kind, meta.get("name", ""), found)
    label_map(meta.get("labels") or {}, "metadata.labels", found)
    CHECKS.get(kind.name, lambda *_: None)(given, found)
    if found:
        raise invalid(kind, meta.get("name", ""), found)


def _schema(kind: Kind, given: dict[str, Any]) -> None:
    try:
        kubernetes_validate.validate(given, VERSION, strict=True)
    except SchemaNotFoundError:
        return
    except ValidationError as error:
        path = "".join(f"[{one}]" if isinstance(one, int) else f".{one}" for one in error.path).lstrip(".")
        words = re.findall(r"'([^']+)'", str(error.message))
        where = ".".join(filter(None, [path, words[0] if words else ""]))
        if error.validator == "required":
            raise invalid(
                kind, given["metadata"].get("name", ""), [Cause("FieldValueRequired", where, "Required value")]
            ) from None
        said = f'{kind.name} in version "{kind.group_version}" cannot be handled as a {kind.name}: '
        if error.validator == "additionalProperties":
            raise ApiError(400, f'{said}strict decoding error: unknown field "{where}"') from None
        raise ApiError(400, f"{said}json: cannot unmarshal {path}: {error.message}") from None


def _name(kind: Kind, name: str, found: Found) -> None:
    if not name:
        found.append(Cause("FieldValueRequired", "metadata.name", "Required value: name or generateName is required"))
    elif not (PATH_NAME if kind.name in RBAC_KINDS else SUBDOMAIN).fullmatch(name) or len(name) > 253:
        said = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.'"
        found.append(wrong("metadata.name", name, said))


def _job(given: dict[str, Any], found: Found) -> None:
    spec = given["spec"]
    for name in ("activeDeadlineSeconds", "backoffLimit", "ttlSecondsAfterFinished", "parallelism", "completions"):
        if spec.get(name, 0) < 0:
            found.append(wrong(f"spec.{name}", spec[name], "must be greater than or equal to 0"))
    if len(given["metadata"].get("name", "")) > 63:
        found.append(wrong("metadata.name", given["metadata"]["name"], "must be no more than 63 characters"))
    label_map(spec["template"].get("metadata", {}).get("labels") or {}, "spec.template.labels", found)
    pod = spec["template"].get("spec", {})
    check_pod(pod, "spec.template.spec", found, policies=("OnFailure", "Never"))
    if "podFailurePolicy" in spec:
        if pod.get("restartPolicy") != "Never":
            said = 'only "Never" is supported when podFailurePolicy is specified'
            found.append(wrong("spec.template.spec.restartPolicy", pod.get("restartPolicy", ""), said))
        _failure_policy(spec, {one["name"] for one in pod.get("containers", ())}, found)


def _failure_policy(spec: dict[str, Any], containers: set[str], found: Found) -> None:
    for place, rule in enumerate(spec["podFailurePolicy"]["rules"]):
        path = f"spec.podFailurePolicy.rules[{place}]"
        codes, conditions = rule.get("onExitCodes"), rule.get("onPodConditions")
        if bool(codes) == bool(conditions):
            found.append(wrong(path, "", "specifying one of OnExitCodes and OnPodConditions is required"))
        if codes:
            if codes.get("containerName", next(iter(containers), "")) not in containers:
                found.append(wrong(f"{path}.onExitCodes.containerName", codes["containerName"], "must be a container"))
            if codes["operator"] == "In" and 0 in codes["values"]:
                found.append(wrong(f"{path}.onExitCodes.values", 0, "must not be 0 for the In operator"))
            if sorted(codes["values"]) != codes["values"]:
                found.append(wrong(f"{path}.onExitCodes.values", codes["values"], "must be ordered"))
        for spot, one in enumerate(conditions or ()):
            if "status" not in one:
                found.append(Cause("FieldValueRequired", f"{path}.onPodConditions[{spot}].status", "Required value"))


def _pod(given: dict[str, Any], found: Found) -> None:
    check_pod(given["spec"], "spec", found, policies=("Always", "OnFailure", "Never"))


def _workload(given: dict[str, Any], found: Found) -> None:
    spec = given["spec"]
    labels = spec["template"].get("metadata", {}).get("labels") or {}
    label_map(labels, "spec.template.metadata.labels", found)
    chosen = spec.get("selector", {}).get("matchLabels") or {}
    if not chosen and not spec.get("selector", {}).get("matchExpressions"):
        found.append(wrong("spec.selector", "", "empty selector is invalid for deployment"))
    if any(labels.get(name) != value for name, value in chosen.items()):
        found.append(wrong("spec.template.metadata.labels", labels, "`selector` does not match template `labels`"))
    pod = dict(spec["template"].get("spec", {}))
    # Claims of a StatefulSet are volumes of its pods.
    claimed = [{"name": one["metadata"]["name"], "emptyDir": {}} for one in spec.get("volumeClaimTemplates") or ()]
    pod["volumes"] = [*(pod.get("volumes") or ()), *claimed]
    check_pod(pod, "spec.template.spec", found, policies=("Always",))


def _cron_job(given: dict[str, Any], found: Found) -> None:
    if len(given["spec"]["schedule"].split()) != 5 and not given["spec"]["schedule"].startswith("@"):
        found.append(wrong("spec.schedule", given["spec"]["schedule"], "expected exactly 5 fields"))
    template = given["spec"]["jobTemplate"]["spec"]["template"]
    check_pod(template.get("spec", {}), "spec.jobTemplate.spec.template.spec", found, policies=("OnFailure", "Never"))


def _service(given: dict[str, Any], found: Found) -> None:
    spec = given.get("spec", {})
    ports = spec.get("ports") or []
    if not ports and spec.get("type", "ClusterIP") != "ExternalName" and spec.get("clusterIP") != "None":
        found.append(Cause("FieldValueRequired", "spec.ports", "Required value"))
    if len(ports) > 1 and not all(one.get("name") for one in ports):
        found.append(Cause("FieldValueRequired", "spec.ports[0].name", "Required value"))
    label_map(spec.get("selector") or {}, "spec.selector", found)


def _autoscaler(given: dict[str, Any], found: Found) -> None:
    spec = given["spec"]
    if spec.get("minReplicas", 1) < 1:
        found.append(wrong("spec.minReplicas", spec["minReplicas"], "must be greater than or equal to 1"))
    if spec["maxReplicas"] < spec.get("minReplicas", 1):
        found.append(wrong("spec.maxReplicas", spec["maxReplicas"], "must be greater than or equal to `minReplicas`"))


def _disruption_budget(given: dict[str, Any], found: Found) -> None:
    if {"minAvailable", "maxUnavailable"} <= given["spec"].keys():
        found.append(wrong("spec", "", "minAvailable and maxUnavailable cannot be both set"))


def _binding(given: dict[str, Any], found: Found) -> None:
    for place, subject in enumerate(given.get("subjects") or ()):
        if subject["kind"] == "ServiceAccount" and not subject.get("namespace"):
            found.append(Cause("FieldValueRequired", f"subjects[{place}].namespace", "Required value"))


def _secret(given: dict[str, Any], found: Found) -> None:
    for name in [*(given.get("data") or {}), *(given.get("stringData") or {})]:
        if not re.fullmatch(r"[-._a-zA-Z0-9]{1,253}", name):
            found.append(wrong(f"data[{name}]", name, "a valid config key must consist of alphanumeric characters"))


CHECKS = {
    "Job": _job,
    "Pod": _pod,
    "CronJob": _cron_job,
    "Deployment": _workload,
    "StatefulSet": _workload,
    "ReplicaSet": _workload,
    "DaemonSet": _workload,
    "Service": _service,
    "HorizontalPodAutoscaler": _autoscaler,
    "PodDisruptionBudget": _disruption_budget,
    "RoleBinding": _binding,
    "ClusterRoleBinding": _binding,
    "Secret": _secret,
    "ConfigMap": _secret,
}
FIXED = {
    "Job": ("template", "selector", "completionMode"),
    "Deployment": ("selector",),
    "ReplicaSet": ("selector",),
    "DaemonSet": ("selector",),
    "StatefulSet": ("selector", "serviceName", "volumeClaimTemplates", "podManagementPolicy"),
}


def check_update(kind: Kind, before: dict[str, Any], after: dict[str, Any]) -> None:
    """Refuse a change of what cannot be changed once it is there."""
    found = [
        wrong(f"spec.{name}", "...", "field is immutable")
        for name in FIXED.get(kind.name, ())
        if before["spec"].get(name) != after["spec"].get(name)
    ]
    if kind.name == "RoleBinding" and before["roleRef"] != after["roleRef"]:
        found.append(wrong("roleRef", "...", "cannot change roleRef"))
    if kind.name in {"Secret", "ConfigMap"} and before.get("immutable") and before.get("data") != after.get("data"):
        found.append(wrong("data", "...", "field is immutable when `immutable` is set"))
    if found:
        raise invalid(kind, after["metadata"]["name"], found)

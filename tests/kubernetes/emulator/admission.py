"""What happens to an object between its check and its storage: defaults, and the doors that may refuse it."""

from __future__ import annotations

import base64
import uuid
from decimal import Decimal

from tests.kubernetes.emulator.errors import ApiError, forbidden
from tests.kubernetes.emulator.kinds import BY_RESOURCE, Kind
from tests.kubernetes.emulator.quantities import amount, wanted, written
from tests.kubernetes.emulator.store import Key, Object, Store, now

UNREACHABLE_SECONDS = 300


def complete(kind: Kind, given: Object) -> None:
    """Fill in what an API server fills in. The status is never the client's at creation."""
    if kind.name not in {"CustomResourceDefinition", "PersistentVolumeClaim", "PersistentVolume", "Node"}:
        given.pop("status", None)
    _COMPLETIONS.get(kind.name, lambda _: None)(given)


def _job(given: Object) -> None:
    spec, meta = given["spec"], given["metadata"]
    uid = meta.setdefault("uid", str(uuid.uuid4()))
    for name, value in (("parallelism", 1), ("completions", 1), ("backoffLimit", 6), ("suspend", False)):
        spec.setdefault(name, value)
    spec.setdefault("completionMode", "NonIndexed")
    spec.setdefault("podReplacementPolicy", "Failed" if "podFailurePolicy" in spec else "TerminatingOrFailed")
    labels = {"controller-uid": uid, "job-name": meta["name"]}
    labels |= {f"batch.kubernetes.io/{name}": value for name, value in labels.items()}
    spec["template"].setdefault("metadata", {}).setdefault("labels", {}).update(labels)
    spec["selector"] = {"matchLabels": {"batch.kubernetes.io/controller-uid": uid}}
    complete_pod_spec(spec["template"]["spec"])
    given["status"] = {}


def _pod(given: Object) -> None:
    complete_pod_spec(given["spec"])
    spec = given["spec"]
    spec.setdefault("serviceAccountName", "default")
    spec["serviceAccount"] = spec["serviceAccountName"]
    tolerations = spec.setdefault("tolerations", [])
    for state in ("not-ready", "unreachable"):
        key = f"node.kubernetes.io/{state}"
        if not any(one.get("key") == key for one in tolerations):
            entry = {"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": UNREACHABLE_SECONDS}
            tolerations.append(entry)
    bounded = all(one.get("resources", {}).get("limits", {}).get("memory") for one in spec["containers"])
    given["status"] = {"phase": "Pending", "qosClass": "Guaranteed" if bounded else "Burstable"}


def complete_pod_spec(spec: Object) -> None:
    spec.setdefault("restartPolicy", "Always")
    spec.setdefault("terminationGracePeriodSeconds", 30)
    spec.setdefault("dnsPolicy", "ClusterFirst")
    spec.setdefault("schedulerName", "default-scheduler")
    spec.setdefault("securityContext", {})
    for one in [*spec.get("initContainers", ()), *spec["containers"]]:
        newest = ":" not in one["image"].rpartition("/")[2] or one["image"].endswith(":latest")
        one.setdefault("imagePullPolicy", "Always" if newest and "@" not in one["image"] else "IfNotPresent")
        one.setdefault("terminationMessagePath", "/dev/termination-log")
        one.setdefault("terminationMessagePolicy", "File")
        resources = one.setdefault("resources", {})
        for name, limit in resources.get("limits", {}).items():
            resources.setdefault("requests", {}).setdefault(name, limit)


def _secret(given: Object) -> None:
    given.setdefault("type", "Opaque")
    plain = given.pop("stringData", None) or {}
    if plain:
        encoded = {name: base64.b64encode(value.encode()).decode() for name, value in plain.items()}
        given["data"] = (given.get("data") or {}) | encoded


def _active(given: Object) -> None:
    given["status"] = {"phase": "Active"}


def _claim(given: Object) -> None:
    given["status"] = {"phase": "Bound"}


def _service(given: Object) -> None:
    spec = given.setdefault("spec", {})
    spec.setdefault("type", "ClusterIP")
    spec.setdefault("clusterIP", f"10.96.{uuid.uuid4().int % 250}.{uuid.uuid4().int % 250 + 1}")
    for port in spec.get("ports", ()):
        port.setdefault("protocol", "TCP")
        port.setdefault("targetPort", port["port"])


_COMPLETIONS = {
    "Job": _job,
    "Pod": _pod,
    "Secret": _secret,
    "Namespace": _active,
    "PersistentVolumeClaim": _claim,
    "Service": _service,
}


def admit(store: Store, kind: Kind, namespace: str, given: Object) -> None:
    """Raise what refuses the creation: a missing namespace, account, class or priority, or a quota."""
    name = given["metadata"]["name"]
    if kind.namespaced:
        home = store.get("namespaces", "", namespace)
        if home is None:
            details = {"name": namespace, "kind": "namespaces"}
            raise ApiError(404, f'namespaces "{namespace}" not found', details=details)
        if "deletionTimestamp" in home["metadata"]:
            said = f"unable to create new content in namespace {namespace} because it is being terminated"
            raise forbidden(kind, name, said)
    if kind.name == "Pod":
        _admit_pod(store, kind, namespace, given)
    if kind.namespaced:
        _quotas(store, kind, namespace, given)


def _admit_pod(store: Store, kind: Kind, namespace: str, given: Object) -> None:
    name, spec = given["metadata"]["name"], given["spec"]
    account = spec.get("serviceAccountName", "default")
    if store.get("serviceaccounts", namespace, account) is None:
        said = f'error looking up service account {namespace}/{account}: serviceaccount "{account}" not found'
        raise forbidden(kind, name, said)
    priority = spec.get("priorityClassName", "")
    if priority and not priority.startswith("system-"):
        found = store.get("priorityclasses.scheduling.k8s.io", "", priority)
        if found is None:
            raise forbidden(kind, name, f"no PriorityClass with name {priority} was found")
        spec["priority"] = found["value"]
    runtime = spec.get("runtimeClassName", "")
    if runtime and store.get("runtimeclasses.node.k8s.io", "", runtime) is None:
        raise forbidden(kind, name, f'pod rejected: RuntimeClass "{runtime}" not found')


def _quotas(store: Store, kind: Kind, namespace: str, given: Object) -> None:
    for key, quota in store.items("resourcequotas", namespace):
        asked, used, limited = [], [], []
        for name, hard in (quota.get("spec", {}).get("hard") or {}).items():
            more = _charge(kind, given, name)
            if more is None:
                continue
            spent = sum(
                (_charge(kind, one, name) or Decimal(0) for one in _charged(store, kind, namespace)), Decimal(0)
            )
            if spent + more > amount(hard):
                asked.append(f"{name}={written(more)}")
                used.append(f"{name}={written(spent)}")
                limited.append(f"{name}={hard}")
        if asked:
            parts = (", requested: ", asked), (", used: ", used), (", limited: ", limited)
            said = "".join(word + ",".join(found) for word, found in parts)
            raise forbidden(kind, given["metadata"]["name"], f"exceeded quota: {key.name}{said}")


def _charged(store: Store, kind: Kind, namespace: str) -> list[Object]:
    """What counts; a pod that has ended counts no more."""
    found = [one for _, one in store.items(kind.resource, namespace)]
    return [one for one in found if one.get("status", {}).get("phase") not in {"Succeeded", "Failed"}]


def _charge(kind: Kind, given: Object, name: str) -> Decimal | None:
    """What one object takes of a quota's entry; None where the entry is not about its kind."""
    if name in {f"count/{kind.resource}", kind.plural}:
        return Decimal(1)
    if kind.name != "Pod":
        return None
    section, _, resource = name.rpartition(".")
    if resource not in {"cpu", "memory"}:
        return None
    section = section or "requests"
    if any(resource not in one.get("resources", {}).get(section, {}) for one in given["spec"]["containers"]):
        raise forbidden(
            BY_RESOURCE["pods"], given["metadata"]["name"], f"failed quota: must specify {section}.{resource}"
        )
    return wanted(given["spec"], section, resource)


def seed(store: Store) -> None:
    """What every cluster has from its first minute."""
    for name in ("default", "kube-system"):
        store.put(Key("namespaces", "", name), {"apiVersion": "v1", "kind": "Namespace", "status": {"phase": "Active"}})
        store.put(Key("serviceaccounts", name, "default"), {"apiVersion": "v1", "kind": "ServiceAccount"})
    for name, value in (("system-cluster-critical", 2_000_000_000), ("system-node-critical", 2_000_001_000)):
        priority = {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "value": value}
        store.put(Key("priorityclasses.scheduling.k8s.io", "", name), priority)


def node(cpu: str, memory: str, pods: int, labels: dict[str, str], taints: list[Object]) -> Object:
    room = {"cpu": cpu, "memory": memory, "pods": str(pods)}
    ready = {"type": "Ready", "status": "True", "reason": "KubeletReady", "lastTransitionTime": now()}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"labels": {"kubernetes.io/os": "linux"} | labels},
        "spec": {"taints": taints} if taints else {},
        "status": {"capacity": room, "allocatable": dict(room), "conditions": [ready]},
    }

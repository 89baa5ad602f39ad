"""What manifests name of each other: it has to be there, or be declared to come from outside; and who may reach whom."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import Any

from tests.deploy.charts import NAMESPACE, Object, containers, hook, label, matches, pod_of
from tests.deploy.rules import makers, ports

READS = {
    "configMap": ("ConfigMap", "name"),
    "secret": ("Secret", "secretName"),
    "persistentVolumeClaim": ("PersistentVolumeClaim", "claimName"),
}


def references(one: Object) -> Iterator[tuple[str, str]]:
    """(kind, name) of everything that its pod needs."""
    pod = pod_of(one)
    if pod is None:
        return
    spec = pod["spec"]
    yield "ServiceAccount", spec.get("serviceAccountName", "default")
    yield from (("Secret", each["name"]) for each in spec.get("imagePullSecrets", []))
    if spec.get("priorityClassName"):
        yield "PriorityClass", spec["priorityClassName"]
    for volume in spec.get("volumes", []):
        yield from ((kind, volume[key][field]) for key, (kind, field) in READS.items() if key in volume)
        for source in volume.get("projected", {}).get("sources", []):
            yield "Secret", source["secret"]["name"]
    for box in containers(pod):
        for each in box.get("env", []):
            found = each.get("valueFrom", {})
            yield from (("Secret", found[key]["name"]) for key in ("secretKeyRef",) if key in found)


def keys_of(objects: list[Object]) -> dict[str, set[str]]:
    """The keys of every Secret that is made here."""
    found = {one["metadata"]["name"]: set(one["data"]) for one in objects if one["kind"] == "Secret"}
    for one in objects:
        if one["kind"] == "ExternalSecret":
            found[one["spec"]["target"]["name"]] = {each["secretKey"] for each in one["spec"]["data"]}
    return found


def missing(objects: list[Object], outside: set[str]) -> Iterator[str]:
    """What is named and neither made here nor declared; and keys that a Secret does not have."""
    made = {(one["kind"], one["metadata"]["name"]) for one in objects} | {("Secret", name) for name in keys_of(objects)}
    for one in objects:
        for kind, name in references(one):
            if (kind, name) not in made and name not in outside:
                yield f"{label(one)} needs {kind} {name}"
        if one["kind"] == "RoleBinding":
            wanted = [("Role", one["roleRef"]["name"]), *((each["kind"], each["name"]) for each in one["subjects"])]
            yield from (f"{label(one)} names {each}" for each in wanted if each not in made)
    yield from _missing_keys(objects)


def _missing_keys(objects: list[Object]) -> Iterator[str]:
    keys = keys_of(objects)
    for one, pod in makers(objects):
        for volume in pod["spec"].get("volumes", []):
            sources = [source["secret"] for source in volume.get("projected", {}).get("sources", [])]
            sources += [volume["secret"]] if "secret" in volume else []
            for source in sources:
                name = source.get("name") or source["secretName"]
                wanted = {item["key"] for item in source["items"]}
                if name in keys and wanted - keys[name]:
                    yield f"{label(one)} needs {sorted(wanted - keys[name])} of Secret {name}"


def before_others(objects: list[Object]) -> Iterator[str]:
    """What Helm makes before the release is there needs nothing of the release, but of hooks that come before it."""
    ordinary = {(one["kind"], one["metadata"]["name"]) for one in objects if not hook(one)}
    for one in objects:
        if "pre-install" in hook(one):
            needs = set(references(one)) & ordinary
            yield from (f"{label(one)} needs {kind} {name}, which comes later" for kind, name in needs)


def mounts(objects: list[Object]) -> Iterator[str]:
    """Every mount has its volume, every volume its mount; a program that may not write has somewhere to."""
    for one, pod in makers(objects):
        there = {volume["name"] for volume in pod["spec"].get("volumes", [])}
        there |= {claim["metadata"]["name"] for claim in one["spec"].get("volumeClaimTemplates", [])}
        used = set()
        for box in containers(pod):
            found = box.get("volumeMounts", [])
            used |= {each["name"] for each in found}
            paths = [each["mountPath"] for each in found]
            if len(set(paths)) < len(paths):
                yield f"{label(one)}/{box['name']}: two volumes at one path"
            if "/tmp" not in paths and box["name"] != "journey":
                yield f"{label(one)}/{box['name']} has no /tmp"
        if used != there:
            yield f"{label(one)}: volumes {sorted(there)}, mounts of {sorted(used)}"


def accounts(objects: list[Object]) -> Iterator[str]:
    """Who gets a token of Kubernetes: workers and scheduler, when they start runs in pods; and for what exactly."""
    in_pods = any(one["kind"] == "Role" for one in objects)
    for one in objects:
        pod = pod_of(one)
        if pod is not None:
            part = pod["metadata"]["labels"]["app.kubernetes.io/component"]
            if pod["spec"].get("automountServiceAccountToken") is not (in_pods and part in {"worker", "scheduler"}):
                yield f"{label(one)}: a token, or none, against the rule"
        if one["kind"] == "ServiceAccount" and one.get("automountServiceAccountToken") is not False:
            yield f"{label(one)} gives everybody a token"
        if one["kind"] in {"ClusterRole", "ClusterRoleBinding"}:
            yield f"{label(one)} reaches beyond the namespace"


def policies(objects: list[Object], *others: dict[str, str]) -> Iterator[str]:
    """Each policy, and each pod that one names, is about pods that there are, or about `others`; ports by name are theirs; networks are networks."""
    everybody = [pod["metadata"]["labels"] for _, pod in makers(objects)] + list(others)
    named_ports = {name for _, pod in makers(objects) for name in ports(pod)}
    for one in objects:
        if one["kind"] != "NetworkPolicy":
            continue
        if not any(matches(one["spec"]["podSelector"], each) for each in everybody):
            yield f"{label(one)} is about no pod"
        for rule in [*one["spec"].get("ingress", []), *one["spec"].get("egress", [])]:
            for port in rule.get("ports", []):
                if isinstance(port["port"], str) and port["port"] not in named_ports:
                    yield f"{label(one)}: no pod has a port {port['port']}"
            for peer in [*rule.get("from", []), *rule.get("to", [])]:
                yield from (f"{label(one)}: {found}" for found in _peer(peer, everybody))


def _peer(peer: dict[str, Any], everybody: list[dict[str, str]]) -> Iterator[str]:
    if "ipBlock" in peer:
        network = ipaddress.ip_network(peer["ipBlock"]["cidr"])
        for each in peer["ipBlock"].get("except", []):
            if not ipaddress.ip_network(each).subnet_of(network):
                yield f"{each} is not part of {network}"
        return
    elsewhere = peer.get("namespaceSelector", {}).get("matchLabels", {}).get("kubernetes.io/metadata.name", NAMESPACE)
    if (
        "podSelector" in peer
        and elsewhere == NAMESPACE
        and not any(matches(peer["podSelector"], each) for each in everybody)
    ):
        yield f"names pods that are not there: {peer['podSelector']}"

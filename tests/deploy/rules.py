"""What the API of Kubernetes, or we, ask of manifests beyond their schema. Each rule yields sentences about what breaks it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache

from tests.architecture.options import options
from tests.deploy.charts import NAME, Object, containers, label, matches, pod_of

QUANTITY = re.compile(r"(\d+(?:\.\d+)?)(m|k|Ki|Mi|Gi|Ti|M|G|T)?")
FACTORS = {
    "m": 1e-3,
    "": 1,
    "k": 1e3,
    "M": 1e6,
    "G": 1e9,
    "T": 1e12,
    "Ki": 2**10,
    "Mi": 2**20,
    "Gi": 2**30,
    "Ti": 2**40,
}
LABEL_VALUE = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")
LONGEST = {"StatefulSet": 52, "CronJob": 52}
VOLUMES = {"configMap", "emptyDir", "persistentVolumeClaim", "projected", "secret"}
"""Of those that the Pod Security Standard "restricted" allows, the ones that we use."""
RESTARTS = {"Job": {"Never", "OnFailure"}, "Pod": {"Never", "OnFailure", "Always"}}
Rule = Callable[[list[Object]], Iterator[str]]


def amount(text: str) -> float:
    """A quantity as a number; a wrong one fails."""
    found = QUANTITY.fullmatch(str(text))
    assert found, f"{text!r} is no quantity"
    return float(found[1]) * FACTORS[found[2] or ""]


def makers(objects: list[Object]) -> Iterator[tuple[Object, Object]]:
    """Everything that makes pods, with the pod."""
    for one in objects:
        pod = pod_of(one)
        if pod is not None:
            yield one, pod


def names(objects: list[Object]) -> Iterator[str]:
    counted = Counter((one["kind"], one["metadata"].get("namespace"), one["metadata"]["name"]) for one in objects)
    yield from (f"{found} is there {times} times" for found, times in counted.items() if times > 1)
    for one in objects:
        name = one["metadata"]["name"]
        if not NAME.fullmatch(name) or len(name) > LONGEST.get(one["kind"], 63):
            yield f"{label(one)}: a wrong name"
        for part in (one["metadata"], (pod_of(one) or {}).get("metadata", {})):
            for key, value in part.get("labels", {}).items():
                if not LABEL_VALUE.fullmatch(str(value)):
                    yield f"{label(one)}: label {key} is {value!r}"


def amounts(objects: list[Object]) -> Iterator[str]:
    for one, pod in makers(objects):
        for box in containers(pod):
            resources = box.get("resources", {})
            for what in ("cpu", "memory"):
                asked, most = (resources.get(part, {}).get(what) for part in ("requests", "limits"))
                if asked is None or most is None:
                    yield f"{label(one)}/{box['name']}: no {what}"
                elif amount(asked) > amount(most):
                    yield f"{label(one)}/{box['name']}: asks for more {what} than it may have"
        for volume in pod["spec"].get("volumes", []):
            if "emptyDir" in volume and not volume["emptyDir"].get("sizeLimit"):
                yield f"{label(one)}: {volume['name']} may fill the node's disk"


def pods(objects: list[Object]) -> Iterator[str]:
    for one, pod in makers(objects):
        policy = pod["spec"].get("restartPolicy", "Always")
        if policy not in RESTARTS.get(one["kind"], {"Always"}):
            yield f"{label(one)}: restartPolicy {policy}"
        for box in containers(pod):
            image = box.get("image", "")
            if not re.search(r"[:@][^/]+$", image) or image.endswith(":latest"):
                yield f"{label(one)}/{box['name']}: image {image!r} is not one and the same for ever"
        if Counter(box["name"] for box in containers(pod)).most_common(1)[0][1] > 1:
            yield f"{label(one)}: two containers of one name"


def selectors(objects: list[Object]) -> Iterator[str]:
    """Whoever makes pods for ever takes its own and nobody else's."""
    for one in objects:
        if one["kind"] not in {"Deployment", "StatefulSet"}:
            continue
        taken = [
            label(other)
            for other, pod in makers(objects)
            if matches(one["spec"]["selector"], pod["metadata"]["labels"])
        ]
        if taken != [label(one)]:
            yield f"{label(one)} takes the pods of {taken}"


def services(objects: list[Object]) -> Iterator[str]:
    for one in objects:
        if one["kind"] != "Service":
            continue
        found = [
            pod
            for _, pod in makers(objects)
            if matches({"matchLabels": one["spec"]["selector"]}, pod["metadata"]["labels"])
        ]
        if not found:
            yield f"{label(one)} leads to no pod"
        for port in one["spec"]["ports"]:
            yield from (
                f"{label(one)}: no port {port['targetPort']}" for pod in found if port["targetPort"] not in ports(pod)
            )
    there = {
        one["metadata"]["name"]: {port["name"] for port in one["spec"]["ports"]}
        for one in objects
        if one["kind"] == "Service"
    }
    for one in objects:
        if one["kind"] == "Ingress":
            for path in (path for rule in one["spec"]["rules"] for path in rule["http"]["paths"]):
                service = path["backend"]["service"]
                if service["port"]["name"] not in there.get(service["name"], set()):
                    yield f"{label(one)} leads to {service}, which is not there"


def ports(pod: Object) -> set[str]:
    """The names of a pod's ports."""
    return {port["name"] for box in containers(pod) for port in box.get("ports", [])}


def probes(objects: list[Object]) -> Iterator[str]:
    for one, pod in makers(objects):
        lasting = one["kind"] in {"Deployment", "StatefulSet"}
        for box in pod["spec"]["containers"]:
            if lasting and "livenessProbe" not in box:
                yield f"{label(one)}: nobody looks whether {box['name']} lives"
            for kind in ("startupProbe", "livenessProbe", "readinessProbe"):
                asked = box.get(kind, {}).get("httpGet")
                if asked and asked["port"] not in {port["name"] for port in box.get("ports", [])}:
                    yield f"{label(one)}: {kind} asks port {asked['port']}"
                if asked and {"name": "Host", "value": "localhost"} not in asked.get("httpHeaders", []):
                    yield f"{label(one)}: {kind} would be refused, its host is not in ALLOWED_HOSTS"
        drain = next(
            (
                found["value"]
                for found in pod["spec"]["containers"][0].get("env", [])
                if found["name"] == "WORKER_DRAIN_SECONDS"
            ),
            0,
        )
        if int(drain) >= pod["spec"].get("terminationGracePeriodSeconds", 30):
            yield f"{label(one)} is killed before it has drained"


@cache
def _known() -> dict[str, str]:
    return {one.name: one.kind for one in options()}


def environment(objects: list[Object]) -> Iterator[str]:
    """Only options that there are, no secret among them, and nothing twice."""
    known = _known()
    for one, pod in makers(objects):
        for box in containers(pod):
            found = box.get("env", [])
            times = Counter(each["name"] for each in found)
            yield from (f"{label(one)}: {name} is set {count} times" for name, count in times.items() if count > 1)
            if not box["image"].split(":")[0].split("@")[0].endswith(("mindloom", "runs")) or box["name"] == "journey":
                continue
            for each in found:
                name = each["name"].removesuffix("_FILE") if each["name"] != "ALIVE_FILE" else each["name"]
                if name not in known and name != "POD_IP":
                    yield f"{label(one)}: there is no option {name}"
                if known.get(each["name"]) == "secret":
                    yield f"{label(one)}: the secret {name} is in plain sight"
                if each["name"] != name and known.get(name) != "secret":
                    yield f"{label(one)}: {name} is no secret, and has no file"


def security(objects: list[Object]) -> Iterator[str]:
    for one, pod in makers(objects):
        whole = pod["spec"].get("securityContext", {})
        if (
            not whole.get("runAsNonRoot")
            or not whole.get("runAsUser")
            or whole.get("seccompProfile") != {"type": "RuntimeDefault"}
        ):
            yield f"{label(one)}: the pod may be root, or call what it likes"
        for box in containers(pod):
            own = box.get("securityContext", {})
            if own.get("capabilities") != {"drop": ["ALL"]} or own.get("allowPrivilegeEscalation") is not False:
                yield f"{label(one)}/{box['name']} may become more than it is"
            if not own.get("readOnlyRootFilesystem"):
                yield f"{label(one)}/{box['name']} may change its own program"
        if any(pod["spec"].get(shared) for shared in ("hostNetwork", "hostPID", "hostIPC")):
            yield f"{label(one)} shares the node's own"
        kinds = {kind for volume in pod["spec"].get("volumes", []) for kind in volume.keys() - {"name"}}
        if kinds - VOLUMES:
            yield f"{label(one)} has volumes of other kinds than the standard allows: {kinds - VOLUMES}"


def scaling(objects: list[Object]) -> Iterator[str]:
    there = {one["metadata"]["name"]: one for one in objects if one["kind"] == "Deployment"}
    for one in objects:
        if one["kind"] in {"HorizontalPodAutoscaler", "ScaledObject"}:
            target = there.get(one["spec"]["scaleTargetRef"]["name"])
            if target is None:
                yield f"{label(one)} scales what is not there"
            elif "replicas" in target["spec"]:
                yield f"{label(target)}: each upgrade would undo what {label(one)} does"
        if one["kind"] == "PodDisruptionBudget":
            found = [pod for _, pod in makers(objects) if matches(one["spec"]["selector"], pod["metadata"]["labels"])]
            yield from () if found else [f"{label(one)} is about no pod"]


RULES: list[Rule] = [names, amounts, pods, selectors, services, probes, environment, security, scaling]

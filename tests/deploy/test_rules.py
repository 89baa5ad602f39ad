"""The rules find what they are there for: each change to good manifests is told by the rule of its name."""

from __future__ import annotations

import copy

import pytest

from tests.deploy import references, rules
from tests.deploy.charts import INSTALLATIONS, named, rendered
from tests.deploy.test_manifests import RUN

pytestmark = pytest.mark.kubernetes


def pod(objects, kind="Deployment", name="-worker-blue"):
    return named(objects, kind, name)["spec"]["template"]["spec"]


def box(objects, **where):
    return pod(objects, **where)["containers"][0]


def policy(objects, name):
    return named(objects, "NetworkPolicy", name)["spec"]


BROKEN = {
    "names": [
        lambda them: named(them, "Deployment", "-scheduler")["metadata"].update(name="Bad_Name"),
        lambda them: named(them, "StatefulSet", "-postgresql")["metadata"].update(name="a" * 60),
        lambda them: them.append(them[0]),
        lambda them: named(them, "Service", "-web")["metadata"]["labels"].update(colour="not a label!"),
    ],
    "amounts": [
        lambda them: box(them)["resources"]["requests"].update(memory="9Gi"),
        lambda them: box(them)["resources"].pop("limits"),
        lambda them: pod(them)["volumes"][1].update(emptyDir={}),
    ],
    "pods": [
        lambda them: pod(them, kind="Job", name="-first").update(restartPolicy="Always"),
        lambda them: box(them).update(image="mindloom"),
        lambda them: box(them).update(image="registry.example.org:5000/mindloom:latest"),
    ],
    "selectors": [
        lambda them: named(them, "Deployment", "-web-blue")["spec"]["selector"]["matchLabels"].pop("app.kubernetes.io/component"),
        lambda them: named(them, "Deployment", "-web-blue")["spec"]["selector"]["matchLabels"].update(a="b"),
    ],
    "services": [
        lambda them: named(them, "Service", "-web")["spec"]["selector"].update({"mindloom/colour": "green"}),
        lambda them: named(them, "Service", "-redis")["spec"]["ports"][0].update(targetPort="http"),
    ],
    "probes": [
        lambda them: box(them, name="-web-blue")["readinessProbe"]["httpGet"].update(port="https"),
        lambda them: box(them, name="-web-blue")["livenessProbe"]["httpGet"].pop("httpHeaders"),
        lambda them: box(them).pop("livenessProbe"),
        lambda them: pod(them).update(terminationGracePeriodSeconds=30),
    ],
    "environment": [
        lambda them: box(them)["env"].append({"name": "SECRET_KEY", "value": "abc"}),
        lambda them: box(them)["env"].append({"name": "WORKER_CONCURENCY", "value": "3"}),
        lambda them: box(them)["env"].append({"name": "MINDLOOM_URL", "value": "https://again.example.org"}),
    ],
    "security": [
        lambda them: pod(them).pop("securityContext"),
        lambda them: box(them)["securityContext"].update(readOnlyRootFilesystem=False),
        lambda them: box(them)["securityContext"].update(capabilities={"drop": ["ALL"], "add": ["NET_ADMIN"]}),
        lambda them: pod(them).update(hostNetwork=True),
        lambda them: pod(them)["volumes"].append({"name": "node", "hostPath": {"path": "/"}}),
    ],
    "scaling": [lambda them: named(them, "PodDisruptionBudget", "-web")["spec"]["selector"]["matchLabels"].update(a="b")],
    "mounts": [
        lambda them: box(them)["volumeMounts"].pop(),
        lambda them: pod(them)["volumes"].append({"name": "unused", "emptyDir": {"sizeLimit": "1Mi"}}),
        lambda them: box(them)["volumeMounts"].append({"name": "tmp", "mountPath": "/var/lib/mindloom"}),
    ],
    "accounts": [
        lambda them: pod(them, name="-web-blue").update(automountServiceAccountToken=True),
        lambda them: pod(them).pop("automountServiceAccountToken"),
        lambda them: named(them, "Role", "-executor").update(kind="ClusterRole"),
    ],
    "missing": [
        lambda them: pod(them).update(serviceAccountName="somebody"),
        lambda them: named(them, "Secret", "-secrets")["data"].pop("KEY_RING"),
        lambda them: named(them, "ConfigMap", "-postgresql")["metadata"].update(name="other"),
        lambda them: named(them, "RoleBinding", "-executor")["subjects"][0].update(name="somebody"),
    ],
    "policies": [
        lambda them: policy(them, "-redis")["podSelector"]["matchLabels"].update(a="b"),
        lambda them: policy(them, "-redis")["ingress"][0]["ports"][0].update(port="reddis"),
        lambda them: policy(them, "-journey")["egress"][0]["to"][0]["podSelector"]["matchLabels"].update(a="b"),
        lambda them: policy(them, "-outside")["egress"][0]["to"][0]["ipBlock"]["except"].append("fe80::/10"),
    ],
}  # fmt: skip
TAKING_MORE = {"missing": [set()], "policies": [RUN]}
CASES = [(name, place) for name, changes in BROKEN.items() for place in range(len(changes))]


@pytest.mark.parametrize(("name", "place"), CASES)
def test_what_is_broken_is_found(name, place):
    objects = copy.deepcopy(rendered(INSTALLATIONS["runs in pods beside"]))
    rule = getattr(rules, name, None) or getattr(references, name)
    more = TAKING_MORE.get(name, [])
    assert list(rule(objects, *more)) == []
    BROKEN[name][place](objects)
    try:
        found = list(rule(objects, *more))
    except (TypeError, ValueError, AssertionError) as error:
        found = [str(error)]
    assert found


def test_a_scaled_deployment_that_says_its_number_is_found():
    objects = copy.deepcopy(rendered(INSTALLATIONS["everything outside"]))
    named(objects, "Deployment", "-worker-blue")["spec"]["replicas"] = 2
    assert len(list(rules.scaling(objects))) == 1


def test_a_hook_that_needs_what_comes_later_is_found():
    objects = copy.deepcopy(rendered(INSTALLATIONS["everything outside"]))
    named(objects, "ServiceAccount", "-migrate")["metadata"].pop("annotations")
    assert "comes later" in next(references.before_others(objects))

"""The kustomize base is the chart without Helm; the example of an overlay makes a whole installation of it."""

from __future__ import annotations

import subprocess
import sys

import kubernetes_validate
import pytest

from mindloom.environment import BASE_DIR
from tests.deploy.charts import NAMESPACE, containers, label, objects_of, pod_of, rendered
from tests.deploy.references import accounts, missing, mounts, policies
from tests.deploy.rules import RULES
from tests.deploy.test_manifests import RUN
from tools import write_kustomize

pytestmark = pytest.mark.kubernetes

KUSTOMIZE = BASE_DIR / "deploy" / "kustomize"
FOLDERS = ["base", "overlays/example"]
OF_RELEASES = {"Pod"}
"""What the chart has for `helm test` alone."""


def built(folder):
    command = ["kubectl", "kustomize", str(KUSTOMIZE / folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return objects_of(done.stdout)


@pytest.fixture(params=FOLDERS)
def objects(request):
    return built(request.param)


def test_the_base_is_what_the_chart_makes():
    done = subprocess.run([sys.executable, "tools/write_kustomize.py", "--check"], cwd=BASE_DIR, check=False)
    assert done.returncode == 0, "Run: make docs"


def test_kubernetes_own_schemas_take_every_object(objects):
    for one in objects:
        kubernetes_validate.validate(one, "1.37", strict=True)


@pytest.mark.parametrize("rule", [*RULES, mounts, accounts], ids=lambda rule: rule.__name__)
def test_every_object_keeps_the_rule(objects, rule):
    assert list(rule(objects)) == []


def test_whatever_is_named_is_there_but_the_one_secret(objects):
    assert list(missing(objects, {"mindloom"})) == []
    run = RUN | {"app.kubernetes.io/instance": "mindloom"}
    assert list(policies(objects, run, run | {"app.kubernetes.io/component": "journey"})) == []


def alike(one):
    """An object without what says by whom, and where, it was made."""
    one = write_kustomize.plain(one)
    for subject in one.get("subjects", []):
        subject["namespace"] = "somewhere"
    return one


def test_what_kustomize_builds_is_what_helm_renders():
    by_helm = [
        alike(one) for one in rendered(write_kustomize.VALUES, release="mindloom") if one["kind"] not in OF_RELEASES
    ]
    by_kustomize = [alike(one) for one in built("base")]
    assert {label(one): one for one in by_kustomize} == {label(one): one for one in by_helm}
    assert NAMESPACE not in str(by_kustomize)


def values_of(objects, name):
    """What all containers have for an option."""
    pods = [pod for pod in map(pod_of, objects) if pod]
    return {each.get("value") for pod in pods for box in containers(pod) for each in box["env"] if each["name"] == name}


def test_the_overlay_puts_its_name_and_image_everywhere():
    objects = built("overlays/example")
    pods = [pod for pod in map(pod_of, objects) if pod]
    image = "registry.example.org/mindloom:0.1.0"
    assert {box["image"] for pod in pods for box in containers(pod)} == {image}
    assert values_of(objects, "KUBERNETES_EXECUTOR_IMAGE") == {image}
    assert values_of(objects, "MINDLOOM_URL") == {"https://agents.example.org"}
    assert all(one.startswith("agents.example.org,localhost,") for one in values_of(objects, "ALLOWED_HOSTS"))
    ingress = next(one for one in objects if one["kind"] == "Ingress")
    assert ingress["spec"]["tls"][0]["hosts"] == [ingress["spec"]["rules"][0]["host"]] == ["agents.example.org"]
    assert "mindloom.example.org" not in str(objects)

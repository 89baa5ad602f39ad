"""What the chart gives fits what the executor does: its rights, its settings, and the network of the pods that it makes."""

from __future__ import annotations

import os
import subprocess
import sys
from uuid import uuid4

import pytest

from mindloom.environment import BASE_DIR
from runs.worker.pods.cluster import NEEDED
from runs.worker.pods.naming import Attempt
from tests.deploy.charts import INSTALLATIONS, label, matches, named, rendered

pytestmark = pytest.mark.kubernetes

IN_PODS = [name for name, values in INSTALLATIONS.items() if values.get("executor", {}).get("enabled")]


@pytest.fixture(params=IN_PODS)
def objects(request):
    return rendered(INSTALLATIONS[request.param])


def options_of(objects, name="-worker-blue"):
    """What a part has in its environment, as in a pod of the namespace."""
    known = {"status.podIP": "10.0.0.7", "metadata.namespace": "prod"}
    env = named(objects, "Deployment", name)["spec"]["template"]["spec"]["containers"][0]["env"]
    return {
        one["name"]: one["value"] if "value" in one else known[one["valueFrom"]["fieldRef"]["fieldPath"]] for one in env
    }


def test_the_rights_are_those_that_the_executor_needs_and_no_others(objects):
    rules = named(objects, "Role", "-executor")["rules"]
    given = {
        (group, resource, verb)
        for rule in rules
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }
    assert given == set(NEEDED)


def test_the_rights_are_where_the_pods_are_made(objects):
    options = options_of(objects)
    for kind, name in (("Role", "-executor"), ("RoleBinding", "-executor"), ("ServiceAccount", "-run")):
        assert named(objects, kind, name)["metadata"]["namespace"] == options["KUBERNETES_NAMESPACE"]
    assert named(objects, "ServiceAccount", "-run")["metadata"]["name"] == options["KUBERNETES_SERVICE_ACCOUNT"]
    assert named(objects, "RoleBinding", "-executor")["subjects"][0]["namespace"] == "prod"


def test_pods_of_runs_have_the_role_for_the_bucket_too():
    objects = rendered(INSTALLATIONS["runs in pods elsewhere"])
    wanted = INSTALLATIONS["runs in pods elsewhere"]["serviceAccounts"]["annotations"].items()
    accounts = [one for one in objects if one["kind"] == "ServiceAccount"]
    assert len(accounts) == 5
    assert all(wanted <= one["metadata"]["annotations"].items() for one in accounts)


def test_pods_of_runs_are_reached_by_nobody_and_reach_what_they_need(objects, settings):
    settings.KUBERNETES_INSTANCE = options_of(objects)["KUBERNETES_INSTANCE"]
    labels = Attempt(str(uuid4()), 1).labels
    policies = [one for one in objects if one["kind"] == "NetworkPolicy"]
    theirs = [one for one in policies if matches(one["spec"]["podSelector"], labels)]
    assert {label(one).rpartition("-")[2] for one in theirs} == {"runs", "names", "nothing"}
    assert [one["spec"]["ingress"] for one in theirs if one["spec"].get("ingress")] == []

    runs = named(objects, "NetworkPolicy", "-runs")
    assert runs["metadata"]["namespace"] == options_of(objects)["KUBERNETES_NAMESPACE"]
    assert not any(port["port"] in {6443, 8000, "http"} for rule in runs["spec"]["egress"] for port in rule["ports"])
    services = {"demo-mindloom-postgresql", "demo-mindloom-redis"} & {one["metadata"]["name"] for one in policies}
    for name in services:
        peers = named(objects, "NetworkPolicy", name)["spec"]["ingress"][0]["from"]
        assert any(matches(peer["podSelector"], labels) for peer in peers)


def test_pods_of_runs_reach_no_private_networks_unless_told(objects):
    for rule in named(objects, "NetworkPolicy", "-runs")["spec"]["egress"]:
        for peer in rule.get("to", []):
            if peer.get("ipBlock", {}).get("cidr") == "0.0.0.0/0":
                wanted = {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "127.0.0.0/8"}
                assert wanted <= set(peer["ipBlock"]["except"])


@pytest.mark.parametrize("name", INSTALLATIONS)
def test_mindloom_starts_with_the_settings_that_the_chart_gives(name, tmp_path):
    """Those of a worker, which has the most; they are read as at each start."""
    colour = INSTALLATIONS[name].get("colours", {}).get("active", "blue")
    environment = options_of(rendered(INSTALLATIONS[name]), f"-worker-{colour}")
    _write_secrets(tmp_path, environment)
    environment |= {"DJANGO_SETTINGS_MODULE": "mindloom.settings", "PATH": os.environ["PATH"]}
    done = subprocess.run(
        [sys.executable, "-c", "import django.conf as c; c.settings.DEBUG"],
        cwd=BASE_DIR,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def _write_secrets(folder, environment):
    """Files where the options say, but in this folder."""
    known = {
        "DATABASE_URL": "postgresql://mindloom:x@db:5432/mindloom",
        "REDIS_URL": "redis://:x@redis:6379/0",
        "KEY_RING": f"k1:{'A' * 43}=",
    }
    for option in [one for one in environment if one.endswith("_FILE") and one != "ALIVE_FILE"]:
        name = option.removesuffix("_FILE")
        (folder / name).write_text(known.get(name, "a-secret"))
        environment[option] = str(folder / name)

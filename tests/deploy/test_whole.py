"""The chart with Mindloom itself in it: its Job makes the tables, its pods are web and worker, and the journey goes through them."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import helm_python
import pytest
from django.conf import settings as django_settings

from accounts.services import issue_tokens
from mindloom.environment import BASE_DIR
from runs.models import Run
from tests.deploy.charts import NAMESPACE
from tests.deploy.conftest import SERVERS, version
from tests.kubernetes.emulator import Image
from tests.kubernetes.programs import apply, kubectl
from tests.processes.conftest import fake, stage  # noqa: F401 -- fixtures
from tests.processes.harness import HELLO, answers, database_url, free_port, until

pytestmark = pytest.mark.kubernetes

AT = "mindloom-web-blue"


@pytest.fixture
def port():
    return free_port()


@pytest.fixture
def images(port):
    """Our own code as an image. The names of Services lead to the one web process, through what programs take for a proxy."""
    environment = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "MINDLOOM_DATA": str(django_settings.DATA_DIR),
        "REDIS_PREFIX": django_settings.REDIS_PREFIX,
        "http_proxy": f"http://127.0.0.1:{port}",
        "no_proxy": "127.0.0.1",
        "MINDLOOM_DEBUG": "true",
    }
    own = Image((sys.executable, "manage.py"), BASE_DIR, environment)
    return {name: Image() for name in SERVERS} | {version("1"): own}


@pytest.fixture
def values(installation, stage):  # noqa: F811 -- the fixture
    """Servers and secrets are there before, as where people rely on it; the token of the journey is Bob's."""
    data = Path(django_settings.DATA_DIR)
    secrets = {
        "mindloom": {
            "DATABASE_URL": database_url(),
            "REDIS_URL": django_settings.REDIS_URL,
            "SECRET_KEY": django_settings.SECRET_KEY,
            "KEY_RING": (data / "key_ring").read_text(),
        },
        "journey": {"token": issue_tokens(actor=stage.cast.bob)["access"]},
    }
    kept = {"apiVersion": "v1", "kind": "Secret"}
    apply(
        installation.cluster.kubeconfig(),
        [
            kept | {"metadata": {"name": name, "namespace": NAMESPACE}, "stringData": data}
            for name, data in secrets.items()
        ],
    )
    return {
        "image": {"repository": "registry.example/mindloom", "tag": "1"},
        "secrets": {"kind": "existing", "existingName": "mindloom"},
        "database": {"kind": "external"},
        "redis": {"kind": "external"},
        "tests": {"tokenSecretName": "journey", "agent": str(stage.agent([HELLO]).uuid)},
    }


def begin(installation, name, *more):
    """One pod of a Deployment, as its controller would make it; Deployments make none on the emulator."""
    template = installation.get("deployments.apps", name)["spec"]["template"]
    template["spec"]["containers"][0]["args"] += more
    meta = {"name": f"{name}-0", "namespace": NAMESPACE, "labels": template["metadata"]["labels"]}
    made = {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": template["spec"]}
    apply(installation.cluster.kubeconfig(), [made])
    return lambda: installation.get("pods", f"{name}-0")


def travel(installation):
    """The journey of `helm test`; what it said, when it fails."""
    try:
        installation.helm.test("mindloom", timeout=120)
    except helm_python.HelmError:
        pytest.fail(installation.cluster.log(installation.get("pods", "mindloom-journey-blue")))


@pytest.fixture(autouse=True)
def _ended(installation):
    """What runs in pods ends before the cluster does."""
    yield
    kubectl(installation.kubeconfig, "delete", "pods", "--all", "--wait")


def test_a_run_is_carried_out_by_what_the_chart_starts(installation, values, port):
    installation.install(values)
    jobs = [one for one in installation.cluster.history() if one["kind"] == "Job"]
    assert [each["type"] for each in jobs[-1]["status"]["conditions"]][-1] == "Complete"

    web = begin(installation, AT, "--port", str(port))
    begin(installation, "mindloom-worker-blue")
    until(lambda: answers(f"http://127.0.0.1:{port}/readyz") == 200, "web is ready", 60)
    assert web()["status"]["phase"] == "Running"

    travel(installation)
    assert (Run.objects.get().state, Run.objects.get().executor) == ("completed", "celery")


def test_with_the_rights_that_the_chart_gives_a_run_has_a_pod_of_its_own(installation, images, values, port):
    installation.install(values | {"executor": {"enabled": True, "default": "kubernetes", "keepSeconds": 0}})
    account = installation.cluster.kubeconfig("mindloom-worker", NAMESPACE)
    images[version("1")].environment["KUBERNETES_CONFIG"] = str(account)
    installation.cluster.claims["mindloom-files"] = django_settings.DATA_DIR
    begin(installation, AT, "--port", str(port))
    begin(installation, "mindloom-worker-blue")
    begin(installation, "mindloom-scheduler")
    until(lambda: answers(f"http://127.0.0.1:{port}/readyz") == 200, "web is ready", 60)

    travel(installation)
    assert (Run.objects.get().state, Run.objects.get().executor) == ("completed", "kubernetes")
    jobs = [one["metadata"]["name"] for one in installation.cluster.history() if one["kind"] == "Job"]
    assert f"mindloom-run-{Run.objects.get().uuid}-1" in jobs
    until(lambda: not installation.cluster.all("jobs.batch", NAMESPACE), "the run's job is cleared away", 60)

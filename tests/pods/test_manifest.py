"""The job and the secret of a run: what the real schemas take, and nothing that should not be in them."""

from __future__ import annotations

import base64
import json

import kubernetes_validate
import pytest
from kubernetes import client

from mindloom.engine.spec import PlaceSpec
from runs.models import Run
from runs.worker.pods import manifest
from runs.worker.pods.naming import Attempt
from tests import factories

FILES = {
    "handed_secrets": json.dumps({"integrations_modelprovider/1/key": "sk-secret-1234"}),
    "database_url": "postgresql://mindloom:db-password@db/mindloom",
    "redis_url": "redis://:redis-password@redis/0",
}
VERSIONS = ("1.30", "1.32", "1.37")


@pytest.fixture(autouse=True)
def _cluster(settings):
    settings.KUBERNETES_EXECUTOR_IMAGE = "registry.example/mindloom:2026.11"
    settings.KUBERNETES_FILES_CLAIM = "files"
    settings.KUBERNETES_SERVICE_ACCOUNT = "mindloom-run"


def a_run(**place):
    spec = factories.spec(place=PlaceSpec(executor="kubernetes", **place)).to_json()
    return Run(uuid="7d5aa5d2-3f26-4f0e-b5f9-0a1c2d3e4f50", spec=spec, fence=0)


def made(run=None):
    run = run or a_run()
    attempt = Attempt(str(run.uuid), 1)
    return manifest.job(run, attempt, FILES), manifest.secret(attempt, "uid-1", FILES)


def pod_of(job):
    return job["spec"]["template"]["spec"]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("everything", [False, True])
def test_the_schemas_of_kubernetes_take_both(settings, version, everything):
    if everything:
        settings.KUBERNETES_IMAGE_PULL_SECRETS = ["registry"]
        settings.KUBERNETES_NODE_SELECTOR = {"disk": "ssd"}
        settings.KUBERNETES_TOLERATIONS = [{"key": "runs", "operator": "Exists", "effect": "NoSchedule"}]
        settings.KUBERNETES_PRIORITY_CLASS, settings.KUBERNETES_RUNTIME_CLASS = "low", "gvisor"
    job, secret = made(a_run(cpu=2, memory_mb=4096))

    for one in (job, secret):
        kubernetes_validate.validate(one, version, strict=True)
    assert client.V1Job.model_validate(job).metadata.name == job["metadata"]["name"]
    assert client.V1Secret.model_validate(secret).immutable is True
    assert ("runtimeClassName" in pod_of(job)) is everything


def test_no_secret_stands_in_the_job():
    job, secret = made()
    written = json.dumps(job)
    for value in ("sk-secret-1234", "db-password", "redis-password"):
        assert value not in written
    assert base64.b64decode(secret["data"]["database_url"]).decode() == FILES["database_url"]


def test_the_secret_goes_with_the_job_and_its_files_are_named_by_options():
    job, secret = made()
    assert secret["metadata"]["name"] == job["metadata"]["name"]
    assert secret["metadata"]["ownerReferences"][0]["uid"] == "uid-1"
    environment = {one["name"]: one.get("value") for one in pod_of(job)["containers"][0]["env"]}
    assert environment["DATABASE_URL_FILE"] == "/run/mindloom/database_url"
    assert environment["HANDED_SECRETS_FILE"] == "/run/mindloom/handed_secrets"
    assert {"DATABASE_URL", "REDIS_URL", "KEY_RING", "SECRET_KEY", "KUBERNETES_CONFIG"} & environment.keys() == set()


def test_options_that_are_set_and_not_secret_come_along(monkeypatch):
    monkeypatch.setenv("OUTBOUND_ALLOWED_NETWORKS", "10.1.0.0/16")
    monkeypatch.setenv("SMTP_PASSWORD", "mail-password")
    monkeypatch.setenv("KUBERNETES_NAMESPACE", "mindloom")
    job, _ = made()
    environment = {one["name"]: one.get("value") for one in pod_of(job)["containers"][0]["env"]}
    assert environment["OUTBOUND_ALLOWED_NETWORKS"] == "10.1.0.0/16"
    assert {"SMTP_PASSWORD", "KUBERNETES_NAMESPACE"} & environment.keys() == set()


def test_the_pod_may_as_little_as_it_can():
    pod = pod_of(made()[0])
    container = pod["containers"][0]
    assert pod["automountServiceAccountToken"] is False
    assert (pod["securityContext"]["runAsNonRoot"], pod["securityContext"]["runAsUser"]) == (True, 10001)
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert {"name": "files", "mountPath": "/var/lib/mindloom/files", "subPath": "files"} in container["volumeMounts"]


def test_it_gets_what_the_agent_asks_for_and_no_more():
    container = pod_of(made(a_run(cpu=1.5, memory_mb=2048))[0])["containers"][0]
    assert (
        container["resources"]["limits"] == container["resources"]["requests"] == {"cpu": "1500m", "memory": "2048Mi"}
    )


def test_the_deadline_is_after_the_runs_own_end(settings):
    run = a_run()
    run.spec["limits"]["seconds"] = 900
    deadline = made(run)[0]["spec"]["activeDeadlineSeconds"]
    assert deadline > settings.KUBERNETES_PENDING_SECONDS + 900


def test_no_second_pod_is_made_by_the_cluster():
    spec = made()[0]["spec"]
    assert (spec["backoffLimit"], pod_of(made()[0])["restartPolicy"]) == (0, "Never")
    assert {rule["action"] for rule in spec["podFailurePolicy"]["rules"]} == {"FailJob"}


def test_the_attempt_is_read_from_the_labels_and_fits_into_a_name():
    job, _ = made()
    assert Attempt.labelled(job) == Attempt("7d5aa5d2-3f26-4f0e-b5f9-0a1c2d3e4f50", 1)
    assert Attempt.labelled({"metadata": {"labels": {"mindloom/run": "x", "mindloom/attempt": "many"}}}) is None
    assert len(Attempt(str(a_run().uuid), 99999).name) <= 63

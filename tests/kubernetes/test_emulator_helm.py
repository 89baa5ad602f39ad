"""The real Helm installs, upgrades, rolls back, tests and uninstalls on the emulator."""

from __future__ import annotations

import json

import helm_python
import pytest
from kubernetes import client, config

from tests.kubernetes.programs import IMAGE, NAMESPACE, until

pytestmark = pytest.mark.kubernetes

DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: {{ .Release.Name }}-web}
spec:
  replicas: {{ .Values.replicas }}
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - name: web
          image: {{ .Values.image }}
          env:
            - {name: FIRST, value: "1"}
            {{- if .Values.second }}
            - {name: SECOND, value: "2"}
            {{- end }}
"""
HOOK = """
apiVersion: batch/v1
kind: Job
metadata:
  name: {{ .Release.Name }}-migrate
  annotations: {helm.sh/hook: "pre-install,pre-upgrade", helm.sh/hook-delete-policy: before-hook-creation}
spec:
  backoffLimit: 0
  template:
    spec:
      restartPolicy: Never
      containers: [{name: migrate, image: {{ .Values.image }}, args: ["-c", {{ .Values.migrate | quote }}]}]
"""
TEST = """
apiVersion: v1
kind: Pod
metadata: {name: {{ .Release.Name }}-test, annotations: {helm.sh/hook: test}}
spec:
  restartPolicy: Never
  containers: [{name: test, image: {{ .Values.image }}, args: ["-c", "print('all is well')"]}]
"""


@pytest.fixture
def chart(tmp_path):
    (tmp_path / "templates").mkdir()
    (tmp_path / "Chart.yaml").write_text("apiVersion: v2\nname: small\nversion: 0.1.0\n")
    values = {"replicas": 1, "second": True, "image": IMAGE, "migrate": "print('migrated')"}
    (tmp_path / "values.yaml").write_text(json.dumps(values))
    for name, content in (("web", DEPLOYMENT), ("migrate", HOOK), ("test", TEST)):
        (tmp_path / "templates" / f"{name}.yaml").write_text(content)
    return tmp_path


@pytest.fixture
def helm(cluster, admin):
    kubeconfig = cluster.kubeconfig(namespace=NAMESPACE)
    with helm_python.Config(kubeconfig_path=str(kubeconfig), namespace=NAMESPACE) as made:
        yield made
    admin.core.delete_collection_namespaced_pod(NAMESPACE)


@pytest.fixture
def apps(cluster):
    return client.AppsV1Api(config.new_client_from_config(str(cluster.kubeconfig())))


def test_a_release_lives_through_everything(helm, chart, apps, api):
    def web():
        found = apps.read_namespaced_deployment("one-web", NAMESPACE)
        return found.spec.replicas, [one.name for one in found.spec.template.spec.containers[0].env]

    helm.install(str(chart), "one", namespace=NAMESPACE, wait="watcher", timeout=30)
    assert api.ended("one-migrate") == ("Complete", "CompletionsReached")
    assert web() == (1, ["FIRST", "SECOND"])

    changed = {"replicas": 3, "second": False}
    helm.upgrade(str(chart), "one", changed, namespace=NAMESPACE, wait="watcher", timeout=30)
    assert web() == (3, ["FIRST"])
    assert [one["revision"] for one in helm.history("one")] == [1, 2]

    helm.rollback("one", version=1, timeout=30)
    assert web() == (1, ["FIRST", "SECOND"])
    helm.test("one", timeout=30)
    helm.uninstall("one")
    until(lambda: not apps.list_namespaced_deployment(NAMESPACE).items, "the Deployment is gone")


def test_a_hook_that_fails_stops_the_release(helm, chart, apps):
    with pytest.raises(helm_python.HelmError):
        helm.install(
            str(chart), "two", {"migrate": "raise SystemExit(1)"}, namespace=NAMESPACE, wait="watcher", timeout=30
        )
    assert not apps.list_namespaced_deployment(NAMESPACE).items
    helm.uninstall("two")


def test_what_does_not_become_ready_fails_the_release_and_is_taken_back(helm, chart, cluster, apps):
    cluster.hold("three-web")
    with pytest.raises(helm_python.HelmError):
        helm.install(str(chart), "three", namespace=NAMESPACE, wait="watcher", timeout=3, rollback_on_failure=True)
    cluster.release("three-web")
    until(lambda: not apps.list_namespaced_deployment(NAMESPACE).items, "the Deployment is gone")

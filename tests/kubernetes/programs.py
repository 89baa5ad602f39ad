"""Jobs for the emulator's own tests: a Python program in a container."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import yaml
from kubernetes import client

from tests.kubernetes.emulator import Image

T = TypeVar("T")
NAMESPACE = "mindloom-tests"
"""On a real cluster, nothing of anybody else is in it."""
IMAGE = "registry.example/python:3"
IMAGES = {
    IMAGE: Image((sys.executable, "-u"), Path("/")),
    "registry.example/private:1": Image((sys.executable, "-u"), Path("/"), pull_secret="registry"),
    "registry.example/root:1": Image((sys.executable, "-u"), Path("/"), user=0),
}
RIGHTS = [
    {"apiGroups": ["batch"], "resources": ["jobs"], "verbs": ["create", "get", "list", "watch", "delete"]},
    {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list", "watch"]},
    {"apiGroups": [""], "resources": ["pods/log"], "verbs": ["get"]},
    {"apiGroups": [""], "resources": ["secrets"], "verbs": ["create"]},
    {"apiGroups": [""], "resources": ["events"], "verbs": ["list"]},
]
"""What docs/kubernetes.md grants to workers and the scheduler, and nothing more."""


def namespace_manifests(account: str = "mindloom", rights: list[dict[str, Any]] | None = None) -> list[dict[str, Any]]:
    """A namespace, the account that makes Jobs in it with its rights, and the account of the pods."""
    rbac, home = "rbac.authorization.k8s.io", {"namespace": NAMESPACE}
    subject = {"kind": "ServiceAccount", "name": account, "namespace": NAMESPACE}
    role = {"apiVersion": f"{rbac}/v1", "kind": "Role", "metadata": {"name": account} | home}
    binding = {"apiVersion": f"{rbac}/v1", "kind": "RoleBinding", "metadata": {"name": account} | home}
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": account} | home},
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "mindloom-run"} | home},
        role | {"rules": RIGHTS if rights is None else rights},
        binding | {"subjects": [subject], "roleRef": {"apiGroup": rbac, "kind": "Role", "name": account}},
    ]


def kubectl(
    kubeconfig: Path | str, *arguments: str, given: object = None, check: bool = True
) -> subprocess.CompletedProcess[str]:
    """The real kubectl; `given` goes in as one document, or as several."""
    documents = given if isinstance(given, list) else [given]
    done = subprocess.run(
        ["kubectl", "--kubeconfig", str(kubeconfig), "--cache-dir", "/tmp/loom-kubectl-cache", *arguments],
        input=None if given is None else yaml.safe_dump_all(documents),
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert not check or done.returncode == 0, done.stderr
    return done


def apply(kubeconfig: Path | str, manifests: list[dict[str, Any]]) -> None:
    kubectl(kubeconfig, "apply", "-f", "-", given=manifests)


def job(name: str, code: str, *, image: str = IMAGE, env: tuple[Any, ...] = (), **spec: Any) -> dict[str, Any]:
    """A manifest whose one container runs this Python program."""
    container = {"name": "run", "image": image, "args": ["-c", code], "env": list(env)}
    pod = {"restartPolicy": "Never", "containers": [container | spec.pop("container", {})]} | spec.pop("pod", {})
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "labels": {"app.kubernetes.io/name": "mindloom"}},
        "spec": {"backoffLimit": 0, "template": {"spec": pod}} | spec,
    }


def until(condition: Callable[[], T], what: str, seconds: float = 30) -> T:
    end = time.monotonic() + seconds
    while not (answer := condition()):
        assert time.monotonic() < end, f"Waited {seconds:g} s in vain: {what}"
        time.sleep(0.03)
    return answer


class Api:
    """The official client, as one account."""

    def __init__(self, kubeconfig: Path | str) -> None:
        from kubernetes import config

        made = config.new_client_from_config(str(kubeconfig))
        self.kubeconfig = kubeconfig
        self.batch, self.core = client.BatchV1Api(made), client.CoreV1Api(made)
        self.rbac = client.RbacAuthorizationV1Api(made)

    def start(self, manifest: dict[str, Any]) -> str:
        return str(self.batch.create_namespaced_job(NAMESPACE, manifest).metadata.name)

    def pods(self, name: str) -> list[Any]:
        return list(
            self.core.list_namespaced_pod(NAMESPACE, label_selector=f"batch.kubernetes.io/job-name={name}").items
        )

    def pod(self, name: str) -> Any:
        return until(lambda: self.pods(name), f"a pod of {name}")[-1]

    def running(self, name: str) -> Any:
        return until(lambda: [one for one in self.pods(name) if one.status.phase == "Running"], f"{name} runs")[-1]

    def waits_with(self, name: str, reason: str) -> str:
        """Wait until the container waits for this reason; its message."""

        def waiting() -> Any:
            found = [one for pod in self.pods(name) for one in pod.status.container_statuses or ()]
            states = [one.state.waiting for one in found if one.state.waiting]
            return [one for one in states if one.reason == reason]

        return str(until(waiting, f"{name} waits with {reason}")[0].message)

    def ended(self, name: str) -> tuple[str, str]:
        def over() -> Any:
            conditions = self.batch.read_namespaced_job(name, NAMESPACE).status.conditions or []
            return [(one.type, one.reason) for one in conditions if one.type in {"Complete", "Failed"}]

        return until(over, f"{name} ends")[0]

    def exit_of(self, name: str) -> tuple[int, str]:
        state = self.pod(name).status.container_statuses[0].state.terminated
        return state.exit_code, state.reason

    def events(self, name: str) -> list[str]:
        found = self.core.list_namespaced_event(NAMESPACE).items
        return [one.reason for one in found if one.involved_object.name.startswith(name)]

"""A cluster to install the chart on, and real Helm and kubectl for it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import helm_python
import pytest

from mindloom.environment import BASE_DIR
from tests.deploy.charts import CHART, NAMESPACE, quiet
from tests.kubernetes.emulator import Cluster, Image
from tests.kubernetes.programs import apply, kubectl

SECONDS = 60
SERVERS = ("pgvector/pgvector:pg17", "redis:7")
TOOL = f'#!/bin/sh\nexec {sys.executable} -m tests.deploy.helm_cli "$@"\n'


def version(number: str) -> str:
    """The image of a version, which does at once and well whatever it is told."""
    return f"registry.example/mindloom:{number}"


class Installation:
    """One release on an emulated cluster."""

    name = "mindloom"

    def __init__(self, cluster: Cluster, folder: Path) -> None:
        self.cluster = cluster
        self.kubeconfig = cluster.kubeconfig(namespace=NAMESPACE)
        self._tools = folder
        (folder / "helm").write_text(TOOL)
        (folder / "helm").chmod(0o755)
        self.helm = helm_python.Config(kubeconfig_path=str(self.kubeconfig), namespace=NAMESPACE)

    def install(self, values):
        with quiet():
            return self.helm.install(str(CHART), self.name, values, wait="watcher", timeout=SECONDS)

    def upgrade(self, values, **how):
        with quiet():
            return self.helm.upgrade(str(CHART), self.name, values, timeout=SECONDS, **({"wait": "watcher"} | how))

    def get(self, resource, name):
        return self.cluster.get(resource, name, NAMESPACE)

    @property
    def colour(self):
        """Which one people are sent to."""
        return self.get("services", f"{self.name}-web")["spec"]["selector"]["mindloom/colour"]

    def may(self, account, verb, what):
        """What Kubernetes says to `kubectl auth can-i` of a service account of the release."""
        kubeconfig = self.cluster.kubeconfig(f"{self.name}-{account}", NAMESPACE)
        said = kubectl(kubeconfig, "auth", "can-i", verb, what, "--namespace", NAMESPACE, check=False)
        return said.stdout.strip() == "yes"

    def switch(self, *arguments):
        """deploy/bluegreen-kubernetes: exit code, and what it said."""
        environment = {
            **os.environ,
            "PATH": f"{self._tools}:{os.environ['PATH']}",
            "PYTHONPATH": str(BASE_DIR),
            "KUBECONFIG": str(self.kubeconfig),
            "TIMEOUT": f"{SECONDS}s",
        }
        command = ["deploy/bluegreen-kubernetes", self.name, *arguments]
        done = subprocess.run(
            command, cwd=BASE_DIR, env=environment, capture_output=True, text=True, timeout=300, check=False
        )
        return done.returncode, done.stdout + done.stderr


@pytest.fixture
def images(tmp_path):
    """Versions 1 and 2 do well whatever they are told, version 3 fails the journey, version 4 cannot migrate."""

    def image(migrates: bool, travels: bool) -> Image:
        folder = tmp_path / f"{migrates}-{travels}"
        folder.mkdir(exist_ok=True)
        python = folder / "python"
        python.unlink(missing_ok=True)
        python.symlink_to("/bin/true" if travels else "/bin/false")
        return Image(("/bin/true" if migrates else "/bin/false",), environment={"PATH": str(folder)})

    well = image(True, True)
    versions = {"1": well, "2": well, "3": image(True, False), "4": image(False, True)}
    return {name: Image() for name in SERVERS} | {version(number): one for number, one in versions.items()}


@pytest.fixture
def installation(images, tmp_path):
    with Cluster(images) as cluster:
        apply(cluster.kubeconfig(), [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}])
        made = Installation(cluster, tmp_path)
        yield made
        made.helm.close()

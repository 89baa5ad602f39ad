"""An installation whose runs go to pods: worker and scheduler as processes of this machine, pods in a cluster.

The cluster is emulated, or with TEST_CLUSTER=real the one of KUBECONFIG. There pods must reach the servers: KUBERNETES_EXECUTOR_IMAGE,
DATABASE_URL, REDIS_URL, S3_BUCKET and its keys, and TEST_HOST, under which pods find this machine, come from the environment.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection

from mindloom.environment import BASE_DIR
from runs import services
from runs.models import Run
from tests.fakes.openai_server import FakeModels
from tests.kubernetes.emulator import Cluster, Image
from tests.kubernetes.programs import NAMESPACE, Api, kubectl
from tests.processes.harness import House, Process, Stage, until

REAL = os.environ.get("TEST_CLUSTER") == "real"
"""Said by `make test-kubernetes` alone: whoever only has a KUBECONFIG does not lend their cluster to tests."""
ACCOUNT, CLAIM = "mindloom", "mindloom-files"
IMAGE = os.environ.get("KUBERNETES_EXECUTOR_IMAGE", "registry.example/mindloom:1")
DATABASE_PASSWORD, REDIS_PASSWORD = "database-4711-password", "redis-0815-password"
PODS_SECONDS = 60.0
"""Patience with what pods do, each of which takes five seconds of processor time to start."""
OPTIONS: dict[str, str] = {
    "RUN_EXECUTOR": "kubernetes",
    "KUBERNETES_EXECUTOR_IMAGE": IMAGE,
    "KUBERNETES_NAMESPACE": NAMESPACE,
    "KUBERNETES_SERVICE_ACCOUNT": "mindloom-run",
    "KUBERNETES_MAX_CPU": "64",
    "KUBERNETES_CPU": "0.25",
    "KUBERNETES_PENDING_SECONDS": "60",
    "KUBERNETES_STOP_SECONDS": "4",
    "KUBERNETES_KEEP_SECONDS": "3",
    "KUBERNETES_REQUESTS_PER_SECOND": "50",
    "RUN_HEARTBEAT_STALE_SECONDS": "8",
}


def mindloom_image() -> Image:
    """What the shipped image does, on this machine: `python manage.py` in the program's folder."""
    environment = {"PYTHONUNBUFFERED": "1", "PYTHONFAULTHANDLER": "1", "STATIC_ROOT": str(settings.STATIC_ROOT)}
    return Image((sys.executable, "manage.py"), BASE_DIR, environment)


def server_urls() -> dict[str, str]:
    """Where pods find the servers; with passwords, to see whether these stay secret."""
    if REAL:
        return {}
    database, redis = connection.settings_dict, settings.REDIS_URL
    address = f"postgresql://{database['USER']}:{DATABASE_PASSWORD}@/{database['NAME']}?host={database['HOST']}"
    return {
        "KUBERNETES_DATABASE_URL": address,
        "KUBERNETES_REDIS_URL": f"{redis}?username=pods&password={REDIS_PASSWORD}",
        "KUBERNETES_FILES_CLAIM": CLAIM,
    }


class RealCluster:
    """The cluster of KUBECONFIG, as far as tests use one."""

    folder = Path(os.environ.get("KUBECONFIG", "/nowhere")).parent

    def kubeconfig(self, account: str = "", namespace: str = "default") -> Path:
        path = Path(os.environ["KUBECONFIG"])
        if not account:
            return path
        config = json.loads(kubectl(path, "config", "view", "--raw", "--minify", "--flatten", "-o", "json").stdout)
        token = kubectl(path, "create", "token", account, "-n", namespace).stdout.strip()
        config["users"][0]["user"] = {"token": token}
        config["contexts"][0]["context"]["namespace"] = namespace
        made = Path(os.environ["MINDLOOM_TEST_DATA"]) / f"{account}.kubeconfig"
        made.write_text(json.dumps(config))
        return made


class ReachableModels(FakeModels):
    """The model server where pods of a real cluster reach it."""

    @property
    def url(self) -> str:
        return f"http://{os.environ['TEST_HOST']}:{self.port}/v1"

    async def serve(self, port: int, host: str = "0.0.0.0") -> None:
        await super().serve(port, host)


@dataclass
class Cloud:
    """Starts runs in pods and looks at what becomes of them."""

    house: House
    stage: Stage
    cluster: Cluster
    admin: Api
    runs: list[Run] = field(default_factory=list)

    def worker(self, **changes: object) -> Process:
        return self.house.worker(**changes)

    def scheduler(self, **changes: object) -> Process:
        return self.house.scheduler(**changes)

    def start(self, *turns: dict[str, Any], **more: Any) -> Run:
        """Bob starts an agent whose model answers with these turns; `place` is what its pod gets."""
        return self.begin(self.stage.agent(turns, **more))

    def begin(self, agent: Any) -> Run:
        run = services.start_run(actor=self.stage.cast.bob, target=agent, text="Hello")
        self.runs.append(run)
        return run

    def jobs(self, run: Run | None = None) -> list[dict[str, Any]]:
        return self._objects("jobs", run)

    def pods(self, run: Run | None = None) -> list[dict[str, Any]]:
        return self._objects("pods", run)

    def pod(self, run: Run) -> dict[str, Any]:
        """The newest pod of the run."""
        found = until(lambda: self.pods(run), f"a pod of run {run.pk}", PODS_SECONDS)
        return max(found, key=lambda one: one["metadata"]["creationTimestamp"])

    def waits(self, run: Run, reason: str) -> str:
        """Wait until the queued run says this reason; its sentence."""

        def says() -> str:
            run.refresh_from_db()
            assert not run.is_terminal, (run.state, run.reason, run.reason_message)
            return run.reason_message if run.reason == reason else ""

        return until(says, f"run {run.pk} says {reason}; it says {run.reason}", PODS_SECONDS)

    def nothing_left(self) -> None:
        """Jobs, pods and secrets of runs go by themselves."""
        for resource in ("jobs", "pods", "secrets"):
            until(lambda: not self._objects(resource), f"no {resource} are left", PODS_SECONDS)  # noqa: B023 -- asked at once

    def clear_away(self) -> None:
        self.house.clear_away()  # else what is taken away here would be made again
        kubectl(self.admin.kubeconfig, "delete", "jobs", "--all", "-n", NAMESPACE, "--wait=false")
        kubectl(self.admin.kubeconfig, "delete", "pods", "--all", "-n", NAMESPACE, "--grace-period=0", "--force")
        until(lambda: not self._objects("pods"), "no pods are left")

    def _objects(self, resource: str, run: Run | None = None) -> list[dict[str, Any]]:
        selector = "app.kubernetes.io/component=run" + (f",mindloom/run={run.uuid}" if run else "")
        batch, core = self.admin.batch, self.admin.core
        ask = {
            "jobs": batch.list_namespaced_job,
            "pods": core.list_namespaced_pod,
            "secrets": core.list_namespaced_secret,
            "events": core.list_namespaced_event,
        }[resource]
        answer = ask(NAMESPACE, label_selector=selector, _preload_content=False)
        return list(json.loads(answer.read())["items"])


def events_of(run: Run) -> list[dict[str, Any]]:
    """What stands in the run's log, word for word."""
    return [one.data for one in run.events.order_by("seq")]


def words_of(run: Run) -> str:
    return json.dumps(events_of(run))

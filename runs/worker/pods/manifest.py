"""The job and the secret of a run, as Kubernetes takes them."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from django.conf import settings

from mindloom.engine.spec import PlaceSpec
from mindloom.environment import env
from runs.worker.claim import DEADLINE_GRACE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runs.models import Run
    from runs.worker.pods.naming import Attempt

CONTAINER = "run"
SECRETS = "/run/mindloom"
DATA = "/var/lib/mindloom"
USER = 10001
ENDING_SECONDS = 30
"""How long a pod that is told to stop may take to give its run back."""
OWN_OPTIONS = (
    *("KUBERNETES_", "KUBECONFIG", "RUN_EXECUTOR", "MINDLOOM_DATA", "STATIC_ROOT", "ALIVE_FILE", "HANDED_SECRETS_FILE"),
    *("POD_NAME", "WORKER_", "ADMIN_PATH", "SMTP_", "OIDC_"),
)
"""Options, by how they begin, that pods do not get from the worker; of the others they get what is set and not secret."""
DATABASE_CONNECTIONS = "4"
"""A run has few threads that ask the database at the same moment."""


def job(run: Run, attempt: Attempt, handed: Mapping[str, str]) -> dict[str, Any]:
    """The job of this attempt. `handed` are the files of its secret; only their names stand in it."""
    limit = float(run.spec["limits"]["seconds"]) + DEADLINE_GRACE.total_seconds() + ENDING_SECONDS
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": attempt.name, "labels": attempt.labels},
        "spec": {
            # A lost pod is not replaced by the cluster: Mindloom knows whether and how the run goes on, and makes the next job.
            "backoffLimit": 0,
            "podFailurePolicy": {
                "rules": [
                    {"action": "FailJob", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]},
                    {
                        "action": "FailJob",
                        "onExitCodes": {"containerName": CONTAINER, "operator": "NotIn", "values": [0]},
                    },
                ]
            },
            "activeDeadlineSeconds": settings.KUBERNETES_PENDING_SECONDS + int(limit),
            "ttlSecondsAfterFinished": settings.KUBERNETES_KEEP_SECONDS,
            "template": {
                "metadata": {
                    "labels": attempt.labels,
                    "annotations": {"cluster-autoscaler.kubernetes.io/safe-to-evict": "false"},
                },
                "spec": _pod(run, attempt, handed),
            },
        },
    }


def secret(attempt: Attempt, job_uid: str, handed: Mapping[str, str]) -> dict[str, Any]:
    """The secret that goes when the job goes."""
    owner = {"apiVersion": "batch/v1", "kind": "Job", "name": attempt.name, "uid": job_uid, "controller": False}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "Opaque",
        "immutable": True,
        "metadata": {"name": attempt.name, "labels": attempt.labels, "ownerReferences": [owner]},
        "data": {name: base64.b64encode(value.encode()).decode() for name, value in handed.items()},
    }


def _pod(run: Run, attempt: Attempt, handed: Mapping[str, str]) -> dict[str, Any]:
    pod: dict[str, Any] = {
        "restartPolicy": "Never",
        "serviceAccountName": settings.KUBERNETES_SERVICE_ACCOUNT,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": ENDING_SECONDS,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "runAsGroup": USER,
            "fsGroup": USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [_container(run, attempt, handed)],
        "volumes": [
            {"name": "handed", "secret": {"secretName": attempt.name, "defaultMode": 0o440}},
            {"name": "scratch", "emptyDir": {}},
            {"name": "data", "emptyDir": {}},
        ],
    }
    if settings.KUBERNETES_FILES_CLAIM:
        claim = {"claimName": settings.KUBERNETES_FILES_CLAIM}
        pod["volumes"].append({"name": "files", "persistentVolumeClaim": claim})
    wanted = {
        "imagePullSecrets": [{"name": name} for name in settings.KUBERNETES_IMAGE_PULL_SECRETS],
        "nodeSelector": settings.KUBERNETES_NODE_SELECTOR,
        "tolerations": settings.KUBERNETES_TOLERATIONS,
        "priorityClassName": settings.KUBERNETES_PRIORITY_CLASS,
        "runtimeClassName": settings.KUBERNETES_RUNTIME_CLASS,
    }
    return pod | {name: value for name, value in wanted.items() if value}


def _container(run: Run, attempt: Attempt, handed: Mapping[str, str]) -> dict[str, Any]:
    mounts = [
        {"name": "handed", "mountPath": SECRETS, "readOnly": True},
        {"name": "scratch", "mountPath": "/tmp"},  # noqa: S108 -- the container's own
        {"name": "data", "mountPath": DATA},
    ]
    if settings.KUBERNETES_FILES_CLAIM:
        # Only the files: what else is kept there, such as keys, is not for a run.
        mounts.append({"name": "files", "mountPath": f"{DATA}/files", "subPath": "files"})
    needs = resources(run)
    return {
        "name": CONTAINER,
        "image": settings.KUBERNETES_EXECUTOR_IMAGE,
        "imagePullPolicy": settings.KUBERNETES_IMAGE_PULL_POLICY,
        "args": ["execute_run", attempt.run, "--attempt", str(attempt.number)],
        "env": _environment(handed),
        "resources": {"requests": needs, "limits": needs},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": mounts,
    }


def resources(run: Run) -> dict[str, str]:
    """What the pod gets, as quantities of Kubernetes; it may use no more than that."""
    place = PlaceSpec(**run.spec.get("place", {}))
    millis = round((place.cpu or settings.KUBERNETES_CPU) * 1000)
    return {"cpu": f"{millis}m", "memory": f"{place.memory_mb or settings.KUBERNETES_MEMORY_MB}Mi"}


def _environment(handed: Mapping[str, str]) -> list[dict[str, Any]]:
    plain = {
        "DATABASE_POOL_SIZE": DATABASE_CONNECTIONS,
        **env.open_options(but=OWN_OPTIONS),
        "MINDLOOM_DATA": DATA,
        **{f"{name.upper()}_FILE": f"{SECRETS}/{name}" for name in handed},
    }
    name = {"name": "POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}
    return [name, *({"name": one, "value": value} for one, value in plain.items())]

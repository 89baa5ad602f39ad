"""Runs in pods of Kubernetes: a worker submits a job, its pod carries the run out, a watcher tells what became of it."""

from runs.worker.pods.cluster import Refused, lacking_rights
from runs.worker.pods.submitting import submit
from runs.worker.pods.watcher import watch_pods

__all__ = ["Refused", "lacking_rights", "submit", "watch_pods"]

"""What belongs to one attempt of a run in the cluster, by its names and labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.conf import settings

if TYPE_CHECKING:
    from runs.models import Run

PREFIX = "mindloom-run-"
RUN_LABEL = "mindloom/run"
ATTEMPT_LABEL = "mindloom/attempt"


@dataclass(frozen=True)
class Attempt:
    """The run's uuid, and the fence with which its pod claims it."""

    run: str
    number: int

    @classmethod
    def of(cls, run: Run) -> Attempt:
        """The attempt that is submitted, or under way."""
        return cls(str(run.uuid), run.fence + (run.submitted_at is not None))

    @classmethod
    def labelled(cls, thing: dict[str, Any]) -> Attempt | None:
        """Whose object of the cluster this is; None when its labels do not say."""
        labels = thing["metadata"].get("labels") or {}
        number = str(labels.get(ATTEMPT_LABEL, ""))
        return cls(labels[RUN_LABEL], int(number)) if RUN_LABEL in labels and number.isdecimal() else None

    @property
    def name(self) -> str:
        """The name of its job and of its secret."""
        return f"{PREFIX}{self.run}-{self.number}"

    @property
    def labels(self) -> dict[str, str]:
        """What its job, its pod and its secret are marked with."""
        return {**installation(), RUN_LABEL: self.run, ATTEMPT_LABEL: str(self.number)}


def installation() -> dict[str, str]:
    """The labels of everything that this installation makes for runs."""
    return {
        "app.kubernetes.io/name": "mindloom",
        "app.kubernetes.io/component": "run",
        "app.kubernetes.io/managed-by": "mindloom",
        "app.kubernetes.io/instance": settings.KUBERNETES_INSTANCE,
    }


def selector() -> str:
    """Finds everything that this installation has made for runs."""
    return ",".join(f"{name}={value}" for name, value in installation().items())

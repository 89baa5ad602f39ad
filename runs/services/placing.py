"""Where a run is carried out, and what it gets there: decided when it starts, and kept with it."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from accounts.models import Department
from mindloom.engine.spec import PlaceSpec
from mindloom.web.errors import Conflict
from runs.models import Executor


def placed(spec: dict[str, Any], department_id: int) -> tuple[Executor, dict[str, Any]]:
    """The executor, and the snapshot with its place worked out. Raises `Conflict` when it asks for what is not there."""
    place = PlaceSpec(**spec.get("place", {}))
    department = Department.objects.get(pk=department_id)
    executor = Executor(place.executor or department.executor)
    if executor == Executor.CELERY:
        return executor, spec
    if not settings.KUBERNETES_EXECUTOR_IMAGE:
        raise Conflict(
            "This is to be run in a pod of Kubernetes, which is not set up here. Choose a worker under Limits, or ask an administrator.",
            code="no_kubernetes",
        )
    most_cpu, most_memory = department.pod_limits
    # What nobody asked for is no more than what there is.
    cpu = place.cpu or min(settings.KUBERNETES_CPU, most_cpu)
    memory = place.memory_mb or min(settings.KUBERNETES_MEMORY_MB, most_memory)
    if cpu > most_cpu or memory > most_memory:
        raise Conflict(
            f"This asks for {cpu:g} CPU and {memory} MB, but a run of {department} may have {most_cpu:g} CPU and {most_memory} MB. "
            "Ask for less under Limits, or let an administrator allow more.",
            code="place_too_large",
        )
    return executor, spec | {"place": {"executor": executor.value, "cpu": cpu, "memory_mb": memory}}

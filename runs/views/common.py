"""What the pages of one run have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.shortcuts import get_object_or_404

from accounts.models import Role
from accounts.queries import may
from runs.models import Run

if TYPE_CHECKING:
    from uuid import UUID

    from accounts.middleware import Request


def visible(request: Request, uuid: UUID) -> Run:
    """The run, or 404."""
    found = Run.objects.visible_to(request.user).select_related(
        "agent", "agent_version", "department", "started_by", "retry_of"
    )
    return get_object_or_404(found, uuid=uuid)


def context_of(request: Request, run: Run, tab: str) -> dict[str, Any]:
    """What the head and the rail of the run's pages show."""
    files = list(run.artifacts.order_by("id"))
    return {
        "run": run,
        "tab": tab,
        "artifacts": files,
        "model": run.spec["model"],
        "limits": run.spec["limits"],
        "may_stop": not run.is_terminal and Run.objects.editable_by(request.user).filter(pk=run.pk).exists(),
        "may_repeat": may(request.user, Role.MEMBER, run.department_id),
        "tokens": run.tokens_in + run.tokens_out,
    }

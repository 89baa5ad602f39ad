"""What the pages of one run have in common."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.shortcuts import get_object_or_404
from django.urls import reverse

from accounts.models import Role
from accounts.queries import may
from mindloom.engine.spec import models_of
from runs.forms import DecisionForm
from runs.models import Approval, Run, State
from runs.queries import standing
from runs.stream.lanes import lanes_of
from teams.models import Team

if TYPE_CHECKING:
    from collections.abc import Mapping

    from accounts.middleware import Request
    from agents.models import Agent

LONG = 120
"""Characters of an argument that stand in one line."""

PARTS = {"run-top": "top", "run-rail": "rail"}
"""What every page of a run loads again by itself while the run works."""


def visible(request: Request, uuid: UUID) -> Run:
    """The run, or 404. What ran is read with it: it may be out of sight by now, and then it is None."""
    found = Run.objects.visible_to(request.user).select_related(
        "agent", "agent_version", "team", "team_version", "department", "started_by", "retry_of"
    )
    return get_object_or_404(found, uuid=uuid)


def context_of(
    request: Request, run: Run, tab: str, forms: Mapping[UUID, DecisionForm] | None = None
) -> dict[str, Any]:
    """What the head and the rail of the run's pages show. `forms` are decisions that were refused."""
    files = list(run.artifacts.newest())  # type: ignore[attr-defined]
    asked = list(run.approvals.select_related("decided_by").order_by("id"))
    may_edit = Run.objects.editable_by(request.user).filter(pk=run.pk).exists()
    return {
        "run": run,
        "tab": tab,
        "target": described_target(run),
        "artifacts": files,
        "model": run.spec["model"],
        "models": list(dict.fromkeys(one["model"] for one in models_of(run.spec))),
        "limits": run.spec["limits"],
        "may_edit": may_edit,
        "may_stop": may_edit and not run.is_terminal,
        "newer_version": _newer_version(run),
        "may_repeat": may(request.user, Role.MEMBER, run.department_id),
        "tokens": run.tokens_in + run.tokens_out,
        "lanes": lanes_of(run) if tab == "live" else (),
        "questions": [_question(one, forms or {}) for one in asked if one.state == Approval.State.OPEN],
        "decided": [one for one in asked if one.state != Approval.State.OPEN],
        "waits": run.state == State.WAITING,
        "why": standing(run) if run.state == State.QUEUED else None,
    }


def _newer_version(run: Run) -> int | None:
    """The number of the version that is published now, when the run was of another one."""
    row: Agent | Team | None = run.team if run.team_id is not None else run.agent
    published = row.published if row is not None and row.archived_at is None else None
    if published is None or run.version is None or published.pk == run.version.pk:
        return None
    return int(published.number)


def described_target(run: Run) -> dict[str, Any]:
    """What ran, in words and links. It may be out of sight: what was shared with everyone can be taken back."""
    is_team = run.team_id is not None
    row: Agent | Team | None = run.team if is_team else run.agent
    known: dict[str, Any] = {
        "kind": "team" if is_team else "agent",
        "icon": row.icon if row is not None else ("users-round" if is_team else "bot"),
        "name": run.target_name,
        "version": run.spec.get("version") or 0,
    }
    if row is None:
        return known
    page, start = ("teams:detail", "runs:start_team") if is_team else ("agents:detail", "runs:start")
    return known | {
        "uuid": row.uuid,
        "now": row.name,
        "page": reverse(page, args=[row.uuid]),
        "start": reverse(start, args=[row.uuid]) if row.archived_at is None else "",
        "runs": f"{reverse('runs:list')}?{known['kind']}={row.uuid}",
    }


def _question(approval: Approval, forms: Mapping[UUID, DecisionForm]) -> dict[str, Any]:
    return {
        "approval": approval,
        "form": forms.get(approval.uuid) or DecisionForm(approval),
        "who": approval.source[-1] if approval.source else "",
        "arguments": sorted(
            (_argument(name, value) for name, value in approval.arguments.items()),
            key=lambda one: (one["is_long"], one["name"]),
        ),
        "is_answer": approval.kind == Approval.Kind.ANSWER,
        "is_check": approval.kind == Approval.Kind.CHECK,
    }


def _argument(name: str, value: Any) -> dict[str, Any]:
    if isinstance(value, list) and value and all(isinstance(one, str | int | float) for one in value):
        text = "\n".join(map(str, value)) if len(value) > 1 else str(value[0])
    else:
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)
    return {
        "name": name,
        "text": text,
        "is_long": len(text) > LONG or (isinstance(value, str) and "\n" in text) or isinstance(value, dict),
    }

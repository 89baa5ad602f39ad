"""Pages that start runs of agents and teams: of what is published, and tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from accounts.models import Role
from accounts.queries import may
from agents.models import Agent
from mindloom.web.errors import Conflict, Invalid, NotAllowed, NotFound
from mindloom.web.http import render_page
from runs import services
from runs.forms import RunForm
from runs.models import Run, Trigger
from runs.stream import lines_of, read_after
from teams.models import Team

if TYPE_CHECKING:
    from django.http import HttpResponse

    from accounts.middleware import Request

DRAFTS = {"draft": (True,), "published": (False,), "both": (True, False)}
"""What a test runs: the draft, what is published, or one beside the other."""


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def start(request: Request, agent_uuid: UUID) -> HttpResponse:
    """Run an agent."""
    agents = Agent.objects.visible_to(request.user).select_related("published", "department")
    return _start_page(request, get_object_or_404(agents, uuid=agent_uuid))


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def start_team(request: Request, team_uuid: UUID) -> HttpResponse:
    """Run a team."""
    teams = Team.objects.visible_to(request.user).select_related("published", "department")
    return _start_page(request, get_object_or_404(teams, uuid=team_uuid))


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def test_panel(request: Request, agent_uuid: UUID) -> HttpResponse:
    """Try an agent while it is built."""
    agents = Agent.objects.visible_to(request.user).select_related("published")
    return _test_page(request, get_object_or_404(agents, uuid=agent_uuid))


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def test_team(request: Request, team_uuid: UUID) -> HttpResponse:
    """Try a team while it is built."""
    teams = Team.objects.visible_to(request.user).select_related("published")
    return _test_page(request, get_object_or_404(teams, uuid=team_uuid))


def _start_page(request: Request, target: Agent | Team) -> HttpResponse:
    form = RunForm(
        _variables(target, of_draft=False),
        request.POST or None,
        kind=services.kind_of(target),
        initial=_values_of(request),
    )
    department_id = _department_of(request, target)
    if request.method == "POST" and form.is_valid():
        runs = _started(request, target, form, (False,), Trigger.PERSON, department_id)
        if runs:
            return redirect("runs:detail", runs[0].uuid)
    may_run = may(request.user, Role.MEMBER, department_id)
    context = _named(target) | {"form": form, "may_run": may_run, "department": _name_of(request, target)}
    status = (422 if may_run else 403) if request.method == "POST" else 200
    return render_page(request, "runs/start.html", context, partials={"start": "start"}, status=status)


def _test_page(request: Request, target: Agent | Team) -> HttpResponse:
    wanted = request.POST.get("with") or request.GET.get("with", "draft")
    mode = wanted if wanted in DRAFTS and target.published is not None else "draft"
    drafts = DRAFTS[mode]
    variables = {one["name"]: one for draft in reversed(drafts) for one in _variables(target, of_draft=draft)}
    form = RunForm(list(variables.values()), request.POST or None, kind=services.kind_of(target))
    may_run = type(target).objects.editable_by(request.user).filter(pk=target.pk).exists()  # type: ignore[attr-defined]
    runs = []
    if request.method == "POST" and may_run and form.is_valid():
        runs = _started(request, target, form, drafts, Trigger.TEST, target.department_id)
    context = _named(target) | {
        "form": form,
        "mode": mode,
        "runs": [
            {"run": run, "draft": draft, "lines": lines_of(read_after(run, 0))}
            for run, draft in zip(runs, drafts, strict=False)
        ],
        "may_run": may_run,
        "may_compare": target.published is not None,
    }
    status = (422 if may_run else 403) if request.method == "POST" and not runs else 200
    return render_page(request, "runs/test_panel.html", context, partials={"test-panel": "panel"}, status=status)


def _started(
    request: Request,
    target: Agent | Team,
    form: RunForm,
    drafts: tuple[bool, ...],
    trigger: Trigger,
    department_id: int,
) -> list[Run]:
    """The new runs, all or none; none when the values were refused, with the reasons in the form."""
    try:
        with transaction.atomic():
            return [
                services.start_run(
                    actor=request.user,
                    target=target,
                    text=form.cleaned_data["input"],
                    variables=form.values_of(_variables(target, of_draft=draft)),
                    trigger=trigger,
                    draft=draft,
                    department_id=department_id,
                )
                for draft in drafts
            ]
    except Invalid as error:
        form.add_errors(error.fields or {"": [error.message]})
    except (Conflict, NotAllowed, NotFound) as error:
        form.add_error(None, error.message)
    return []


def _variables(target: Agent | Team, *, of_draft: bool) -> list[dict[str, Any]]:
    definition = target.draft if of_draft else (target.published.definition if target.published else {})
    return list(definition.get("variables", []))


def _named(target: Agent | Team) -> dict[str, Any]:
    """The target for templates: which it is, and the addresses of its pages."""
    kind = services.kind_of(target)
    start_page, test_page = ("start_team", "test_team") if kind == "team" else ("start", "test_panel")
    return {
        "target": target,
        "kind": kind,
        "list_url": reverse(f"{kind}s:list"),
        "page_url": reverse(f"{kind}s:detail", args=[target.uuid]),
        "edit_url": reverse(f"{kind}s:edit", args=[target.uuid]),
        "start_url": reverse(f"runs:{start_page}", args=[target.uuid]),
        "test_url": reverse(f"runs:{test_page}", args=[target.uuid]),
    }


def _department_of(request: Request, target: Agent | Team) -> int:
    """Where a run belongs: what is shared with everyone runs in the department where the person works."""
    is_shared = target.visibility == Agent.Visibility.EVERYONE.value
    return request.department.pk if is_shared and request.department is not None else target.department_id


def _name_of(request: Request, target: Agent | Team) -> str:
    is_here = request.department is not None and request.department.pk == _department_of(request, target)
    return str(request.department if is_here else target.department)


def _values_of(request: Request) -> dict[str, Any]:
    """The input and variables of the run that `from` names, to begin with."""
    try:
        uuid = UUID(request.GET.get("from", ""))
    except ValueError:
        return {}
    run = Run.objects.visible_to(request.user).filter(uuid=uuid).first()
    return {"input": run.input, "variables": run.variables} if run else {}

"""Pages that start runs: of what is published, and tests of drafts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods

from accounts.models import Role
from accounts.queries import may
from agents.models import Agent
from mindloom.web.errors import Conflict, Invalid, NotAllowed
from mindloom.web.http import render_page
from runs import services
from runs.forms import RunForm
from runs.models import Run, Trigger
from runs.stream import lines_of, read_after

if TYPE_CHECKING:
    from django.http import HttpResponse

    from accounts.middleware import Request


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def start(request: Request, agent_uuid: UUID) -> HttpResponse:
    agent = get_object_or_404(Agent.objects.visible_to(request.user), uuid=agent_uuid)
    variables = agent.published.definition.get("variables", []) if agent.published else []
    form = RunForm(variables, request.POST or None, initial=_values_of(request))
    if request.method == "POST" and form.is_valid():
        run = _start(request, agent, form, Trigger.PERSON)
        if run is not None:
            return redirect("runs:detail", run.uuid)
    may_run = may(request.user, Role.MEMBER, agent.department_id)
    context = {"agent": agent, "form": form, "may_run": may_run}
    status = (422 if may_run else 403) if request.method == "POST" else 200
    return render_page(request, "runs/start.html", context, partials={"start": "start"}, status=status)


def _values_of(request: Request) -> dict[str, Any]:
    """The input and variables of the run that `from` names, to begin with."""
    try:
        uuid = UUID(request.GET.get("from", ""))
    except ValueError:
        return {}
    run = Run.objects.visible_to(request.user).filter(uuid=uuid).first()
    return {"input": run.input, "variables": run.variables} if run else {}


def _start(request: Request, agent: Agent, form: RunForm, trigger: Trigger) -> Run | None:
    """The new run; None when the values were refused, with the reasons in the form."""
    try:
        return services.start_run(
            actor=request.user, target=agent, text=form.cleaned_data["input"], variables=form.values, trigger=trigger
        )
    except Invalid as error:
        form.add_errors(error.fields or {"": [error.message]})
    except (Conflict, NotAllowed) as error:
        form.add_error(None, error.message)
    return None


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def test_panel(request: Request, agent_uuid: UUID) -> HttpResponse:
    agent = get_object_or_404(Agent.objects.visible_to(request.user), uuid=agent_uuid)
    form = RunForm(agent.draft.get("variables", []), request.POST or None)
    run = _start(request, agent, form, Trigger.TEST) if request.method == "POST" and form.is_valid() else None
    may_run = Agent.objects.editable_by(request.user).filter(pk=agent.pk).exists()
    context = {
        "agent": agent,
        "form": form,
        "run": run,
        "lines": lines_of(read_after(run, 0)) if run else [],
        "may_run": may_run,
    }
    status = (422 if may_run else 403) if request.method == "POST" and run is None else 200
    return render_page(request, "runs/test_panel.html", context, partials={"test-panel": "panel"}, status=status)

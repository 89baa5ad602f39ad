"""Pages of runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Q
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import Role
from accounts.queries import may
from agents.models import Agent
from mindloom.web.errors import Conflict, Invalid, NotAllowed, NotFound
from mindloom.web.http import render_page
from runs import services
from runs.forms import RunForm
from runs.models import LIVE_STATES, Run, RunArtifact, State, Trigger
from runs.stream import lines_of, read_after
from runs.stream.downloads import attachment, log_download

if TYPE_CHECKING:
    from accounts.middleware import Request

PAGE = 30
FIRST_LINES = 2000
"""Events whose lines are already in the page; the socket brings the rest."""
VIEWS = {
    "all": ("All", Q()),
    "mine": ("Mine", Q()),
    "live": ("Running", Q(state__in=LIVE_STATES)),
    "completed": ("Completed", Q(state=State.COMPLETED)),
    "failed": ("Failed", Q(state=State.FAILED)),
    "cancelled": ("Cancelled", Q(state=State.CANCELLED)),
}


@login_required
@require_safe
def run_list(request: Request) -> HttpResponse:
    view = request.GET.get("view", "all")
    view = view if view in VIEWS else "all"
    found = Run.objects.visible_to(request.user).newest_first().filter(VIEWS[view][1])
    if view == "mine":
        found = found.filter(started_by=request.user)
    agent = _chosen_agent(request)
    if agent is not None:
        found = found.filter(agent=agent)
    before = request.GET.get("before", "")
    if before.isascii() and before.isdigit() and len(before) < 19:
        found = found.filter(pk__lt=int(before))
    rows = list(found[: PAGE + 1])
    context = {
        "runs": rows[:PAGE],
        "older": rows[PAGE - 1].pk if len(rows) > PAGE else None,
        "newer": bool(before),
        "view": view,
        "views": [(key, label) for key, (label, _) in VIEWS.items()],
        "agent": agent,
        "is_live": any(not run.is_terminal for run in rows[:PAGE]),
        "has_agents": Agent.objects.visible_to(request.user).exists(),
        "may_run": request.department is not None and may(request.user, Role.MEMBER, request.department.pk),
    }
    return render_page(request, "runs/list.html", context, partials={"runs": "results"})


def _chosen_agent(request: Request) -> Agent | None:
    try:
        uuid = UUID(request.GET.get("agent", ""))
    except ValueError:
        return None
    return Agent.objects.visible_to(request.user).filter(uuid=uuid).first()


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


@login_required
@require_safe
def detail(request: Request, uuid: UUID) -> HttpResponse:
    run = _visible(request, uuid)
    rows = read_after(run, 0, FIRST_LINES)
    last = rows[-1].seq if rows else 0
    context = _context(request, run, "live") | {
        "lines": lines_of(rows),
        "last": last,
        "follows": not run.is_terminal or last < run.last_seq,
    }
    return render_page(request, "runs/detail.html", context, partials={"run-top": "top", "run-rail": "rail"})


@login_required
@require_safe
def output(request: Request, uuid: UUID) -> HttpResponse:
    return render_page(request, "runs/output.html", _context(request, _visible(request, uuid), "output"))


@login_required
@require_safe
def artifacts(request: Request, uuid: UUID) -> HttpResponse:
    return render_page(request, "runs/artifacts.html", _context(request, _visible(request, uuid), "artifacts"))


@login_required
@require_safe
def inputs(request: Request, uuid: UUID) -> HttpResponse:
    run = _visible(request, uuid)
    labels = {}
    if run.agent_version is not None:
        labels = {
            one["name"]: one.get("label") or one["name"] for one in run.agent_version.definition.get("variables", [])
        }
    values = [(labels.get(name, name), value) for name, value in run.variables.items()]
    return render_page(request, "runs/inputs.html", _context(request, run, "inputs") | {"values": values})


@login_required
@require_safe
def result(request: Request, uuid: UUID) -> HttpResponse:
    """What came out, for panels of other pages."""
    return render_page(
        request,
        "runs/result.html",
        _context(request, _visible(request, uuid), "output"),
        partials={"run-result": "result"},
    )


@login_required
@require_POST
def stop(request: Request, uuid: UUID) -> HttpResponse:
    run = _visible(request, uuid)
    try:
        services.stop_run(actor=request.user, run=run)
    except Conflict as error:
        messages.warning(request, error.message)
    return redirect("runs:detail", run.uuid)


@login_required
@require_POST
def again(request: Request, uuid: UUID) -> HttpResponse:
    run = _visible(request, uuid)
    try:
        repeated = services.repeat_run(actor=request.user, run=run, current=request.POST.get("version") == "current")
    except (Conflict, Invalid, NotFound) as error:
        messages.warning(request, error.message)
        return redirect("runs:detail", run.uuid)
    return redirect("runs:detail", repeated.uuid)


@login_required
@require_safe
def log_text_file(request: Request, uuid: UUID) -> StreamingHttpResponse:
    return log_download(_visible(request, uuid), "txt")


@login_required
@require_safe
def log_lines_file(request: Request, uuid: UUID) -> StreamingHttpResponse:
    return log_download(_visible(request, uuid), "jsonl")


@login_required
@require_safe
def artifact(request: Request, uuid: UUID, artifact_uuid: UUID) -> HttpResponse:
    found = RunArtifact.objects.visible_to(request.user).filter(run__uuid=uuid)
    return attachment(get_object_or_404(found, uuid=artifact_uuid))


def _visible(request: Request, uuid: UUID) -> Run:
    found = Run.objects.visible_to(request.user).select_related(
        "agent", "agent_version", "department", "started_by", "retry_of"
    )
    return get_object_or_404(found, uuid=uuid)


def _context(request: Request, run: Run, tab: str) -> dict[str, Any]:
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

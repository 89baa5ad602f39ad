"""Agents and teams of all departments: taken out of use, put back, deleted, many at once."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from accounts.models import Department
from administration.queries.everything import all_agents, all_teams
from administration.views.runs import chosen_department, marked_uuids
from administration.views.shared import administrators, noted
from agents import services as agents
from mindloom.web.addresses import list_address
from mindloom.web.errors import MindloomError
from mindloom.web.http import render_page
from teams import services as teams

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpResponse

    from accounts.middleware import Request

PAGE = 50
ACTIONS = {"disable": "Taken out of use", "enable": "Put back into use", "delete": "Deleted"}
_ROWS: dict[str, Callable[[], Any]] = {"agent": all_agents, "team": all_teams}
_DO: dict[tuple[str, str], tuple[Callable[..., Any], str]] = {
    ("agent", "disable"): (agents.archive_agent, "agent"),
    ("agent", "enable"): (agents.restore_agent, "agent"),
    ("agent", "delete"): (agents.delete_agent, "agent"),
    ("team", "disable"): (teams.archive_team, "team"),
    ("team", "enable"): (teams.restore_team, "team"),
    ("team", "delete"): (teams.delete_team, "team"),
}


@noted("agents")
@require_safe
def all_of_agents(request: Request) -> HttpResponse:
    """The agents of all departments."""
    return _listed(request, "agent")


@noted("teams")
@require_safe
def all_of_teams(request: Request) -> HttpResponse:
    """The teams of all departments."""
    return _listed(request, "team")


def _listed(request: Request, kind: str) -> HttpResponse:
    found = _ROWS[kind]()
    words = request.GET.get("q", "").replace("\x00", "").strip()[:80]
    if words:
        found = found.filter(name__icontains=words)
    department = chosen_department(request)
    if department is not None:
        found = found.filter(department=department)
    state = request.GET.get("state", "")
    if state in ("used", "disabled"):
        found = found.filter(archived_at__isnull=state == "used")
    context = {
        "kind": kind,
        "page": Paginator(found, PAGE).get_page(request.GET.get("page")),
        "words": words,
        "states": [(key, label, list_address(request, state=key)) for key, label in _STATES.items()],
        "state": state if state in _STATES else "",
        "department": department,
        "departments": Department.objects.by_name(),
        "chosen": request.GET,
    }
    return render_page(request, "administration/builds.html", context, partials={"builds": "results"})


_STATES = {"": "All", "used": "In use", "disabled": "Out of use"}


@administrators
@require_POST
def act(request: Request, kind: str) -> HttpResponse:
    """Do one thing to all that are marked, after they were shown once more; each by itself."""
    back = reverse(f"administration:{kind}s")
    action = request.POST.get("action", "")
    marked = list(_ROWS[kind]().filter(uuid__in=marked_uuids(request)))
    if not marked or action not in ACTIONS:
        messages.warning(request, f"Mark the {kind}s first, and choose what to do with them.")
        return redirect(back)
    if not request.POST.get("confirmed"):
        context = {"kind": kind, "action": action, "marked": marked, "back": back}
        return render_page(request, "administration/confirm.html", context, status=422)
    do, name = _DO[kind, action]
    problems: Counter[str] = Counter()
    for one in marked:
        try:
            do(actor=request.user, **{name: one})
        except MindloomError as error:
            problems[error.message] += 1
    done = len(marked) - problems.total()
    if done:
        messages.success(request, f"{ACTIONS[action]}: {done} {kind}{'' if done == 1 else 's'}.")
    for problem, times in problems.items():
        messages.warning(request, problem if times == 1 else f"{times} times: {problem}")
    return redirect(back)

"""The list of runs."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.db.models import Q
from django.views.decorators.http import require_safe

from accounts.models import Role
from accounts.queries import may
from agents.models import Agent
from mindloom.web.http import render_page
from runs import services
from runs.models import LIVE_STATES, Run, State
from teams.models import Team

if TYPE_CHECKING:
    from django.http import HttpResponse

    from accounts.middleware import Request

PAGE = 30
VIEWS = {
    "all": ("All", Q()),
    "mine": ("Mine", Q()),
    "live": ("Running", Q(state__in=LIVE_STATES)),
    "waiting": ("Waiting", Q(state=State.WAITING)),
    "completed": ("Completed", Q(state=State.COMPLETED)),
    "failed": ("Failed", Q(state=State.FAILED)),
    "cancelled": ("Cancelled", Q(state=State.CANCELLED)),
}


@login_required
@require_safe
def run_list(request: Request) -> HttpResponse:
    """Runs, newest first, by what they are of and how they stand."""
    view = request.GET.get("view", "all")
    view = view if view in VIEWS else "all"
    found = Run.objects.visible_to(request.user).newest_first().filter(VIEWS[view][1])
    if view == "mine":
        found = found.filter(started_by=request.user)
    target = _chosen(request)
    if target is not None:
        found = found.filter(**{services.kind_of(target): target})
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
        "target": target,
        "kind": services.kind_of(target) if target is not None else "",
        "is_live": any(not run.is_terminal for run in rows[:PAGE]),
        "has_agents": Agent.objects.visible_to(request.user).exists(),
        "may_run": request.department is not None and may(request.user, Role.MEMBER, request.department.pk),
    }
    return render_page(request, "runs/list.html", context, partials={"runs": "results"})


def _chosen(request: Request) -> Agent | Team | None:
    """The agent or team of which only the runs are listed."""
    for name, rows in (
        ("team", Team.objects.visible_to(request.user)),
        ("agent", Agent.objects.visible_to(request.user)),
    ):
        try:
            uuid = UUID(request.GET.get(name, ""))
        except ValueError:
            continue
        if found := rows.filter(uuid=uuid).first():
            return found
    return None

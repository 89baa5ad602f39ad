"""Runs of all departments: found, and stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from django.contrib import messages
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from accounts.models import Department
from accounts.services import switch_department
from administration.queries.everything import all_runs
from administration.views.shared import administrators, noted
from mindloom.web.addresses import list_address, uuid_or_none
from mindloom.web.http import render_page
from runs import services
from runs.forms import RunFilter
from runs.models import LIVE_STATES, State
from runs.services import MOST_AT_ONCE

if TYPE_CHECKING:
    from django.http import HttpResponse

    from accounts.middleware import Request
    from runs.models import Run

PAGE = 50
VIEWS = {
    "": "All",
    "live": "Under way",
    State.QUEUED.value: "Queued",
    State.WAITING.value: "Waiting",
    State.FAILED.value: "Failed",
}
_PAGES = {"run": "runs:detail", "agent": "agents:detail", "team": "teams:detail"}


@noted("runs")
@require_safe
def runs(request: Request) -> HttpResponse:
    """Newest first; view, department and days are in the address."""
    view = request.GET.get("view", "")
    found = all_runs()
    if view == "live":
        found = found.filter(state__in=LIVE_STATES)
    elif view in VIEWS and view:
        found = found.filter(state=view)
    department = chosen_department(request)
    if department is not None:
        found = found.filter(department=department)
    filters = RunFilter(request.GET, found)
    wrong = [f"{name}: {' '.join(map(str, errors))}" for name, errors in filters.errors.items()]
    before = request.GET.get("before", "")
    if before and not (before.isascii() and before.isdigit() and len(before) < 19):
        wrong.append("The address says a page that does not exist.")
    rows: list[Run] = []
    if not wrong:
        listed = filters.qs.filter(pk__lt=int(before)) if before else filters.qs
        rows = list(listed[: PAGE + 1])
    context = {
        "runs": rows[:PAGE],
        "older": list_address(request, before=str(rows[PAGE - 1].pk)) if len(rows) > PAGE else "",
        "newest": list_address(request) if before else "",
        "views": [(key, label, list_address(request, view=key)) for key, label in VIEWS.items()],
        "view": view,
        "wrong": wrong,
        "department": department,
        "departments": Department.objects.by_name(),
        "chosen": request.GET,
        "again_url": list_address(request, before=before),
    }
    return render_page(request, "administration/runs.html", context, partials={"runs": "results"})


@administrators
@require_POST
def stop(request: Request) -> HttpResponse:
    """Stop the marked runs, after they were shown once more."""
    marked = all_runs().filter(uuid__in=marked_uuids(request))[:MOST_AT_ONCE]
    if not marked:
        messages.warning(request, "Mark the runs first.")
        return redirect("administration:runs")
    if not request.POST.get("confirmed"):
        return render_page(request, "administration/stop.html", {"runs": marked}, status=422)
    outcomes = services.stop_runs(actor=request.user, runs=list(marked))
    stopped = sum(not one.problem for one in outcomes)
    if stopped:
        messages.success(request, f"Stopped {stopped} run{'' if stopped == 1 else 's'}.")
    for one in outcomes:
        if one.problem:
            messages.warning(request, one.problem)
    return redirect("administration:runs")


@administrators
@require_POST
def enter(request: Request) -> HttpResponse:
    """Work in the department of a run, an agent or a team, and see it there. It leaves a trace."""
    department = get_object_or_404(Department.objects.working(), uuid=uuid_or_none(request.POST.get("department", "")))
    uuid = uuid_or_none(request.POST.get("uuid", ""))
    route = _PAGES.get(request.POST.get("kind", ""))
    if route is None or uuid is None:
        raise Http404
    switch_department(actor=request.user, department=department)
    request.session["department"] = department.pk
    return redirect(reverse(route, args=[uuid]))


def marked_uuids(request: Request) -> list[UUID]:
    """Those that were marked in a list."""
    given = request.POST.getlist("marked")[:MOST_AT_ONCE]
    return [uuid for text in given if (uuid := uuid_or_none(text))]


def chosen_department(request: Request) -> Department | None:
    """The department in the address."""
    uuid = uuid_or_none(request.GET.get("department", ""))
    return Department.objects.filter(uuid=uuid).first() if uuid else None

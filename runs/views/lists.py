"""The list of runs."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from django.contrib.auth.decorators import login_required
from django.db.models import Q, TextField, Value
from django.db.models.functions import Coalesce, NullIf
from django.http import StreamingHttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from accounts.models import Role
from accounts.queries import colleagues_of, may
from agents.models import Agent
from mindloom import wall
from mindloom.web.addresses import key_in, list_address, uuid_or_none
from mindloom.web.http import render_page
from runs import services
from runs.forms import RunFilter
from runs.models import LIVE_STATES, Run, State, Trigger
from runs.stream.exports import runs_csv
from teams.models import Team

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from django.http import HttpResponse
    from django.http.response import HttpResponseBase

    from accounts.middleware import Request
    from runs.models.run import RunQuerySet

PAGE = 25
MOST_NEW = 99
"""New runs that are counted above a list that stays where it is."""
NONE_YET = 0
"""The `top` of a list without runs."""
MOST_OFFERED = 200
LABELS = {
    "q": "Words",
    "agent": "Agent",
    "team": "Team",
    "person": "Started by",
    "trigger": "Trigger",
    "state": "State",
    "since": "From",
    "until": "To",
}
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
    """Runs, newest first, by what they are of, who started them, when, and how they stand. All of it is in the address."""
    view, filters = _filtered(request)
    wrong = _wrong(filters)
    before, problem = key_in(request, "before")
    top, another = key_in(request, "top")
    wrong += problem + another
    rows, newer = ([], 0) if wrong else _rows(filters, before, top)
    target = _chosen(request)
    active = _active(request, target)
    shown = top if top is not None else (rows[0].pk if rows else NONE_YET)
    context = {
        "runs": rows[:PAGE],
        "older": list_address(request, before=str(rows[PAGE - 1].pk)) if len(rows) > PAGE else "",
        "newest": list_address(request) if before is not None else "",
        "newer": newer,
        "newer_url": list_address(request),
        "again_url": list_address(request, **({"before": str(before)} if before is not None else {"top": str(shown)})),
        "query": list_address(request).removeprefix("?"),
        "view": view,
        "marked": request.GET.getlist("runs"),
        "views": [(key, label, list_address(request, view=key)) for key, (label, _) in VIEWS.items()],
        "wrong": wrong,
        "export": f"{reverse('runs:export')}{list_address(request)}",
        "target": target,
        "kind": services.kind_of(target) if target is not None else "",
        "is_live": any(not run.is_terminal for run in rows[:PAGE]),
        "has_agents": Agent.objects.visible_to(request.user).exists(),
        "may_run": request.department is not None and may(request.user, Role.MEMBER, request.department.pk),
        "offered": partial(_offered, request),
        "chosen": request.GET,
        "active": active,
        "filters_open": bool(wrong or request.GET.get("filters")),
        "filters_url": list_address(request, filters="1"),
    }
    parts = {"runs": "results", "run-filters": "filters"}
    return render_page(request, "runs/list.html", context, partials=parts)


@login_required
@require_safe
def run_export(request: Request) -> HttpResponseBase:
    """The same runs, all of them, for a spreadsheet."""
    _, filters = _filtered(request)
    if _wrong(filters):
        return redirect(f"{reverse('runs:list')}{list_address(request)}")
    services.note_export(
        actor=request.user,
        department_id=request.department.pk if request.department else None,
        query=request.GET.urlencode(),
    )
    response = StreamingHttpResponse(runs_csv(filters.qs, wall.current()), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = content_disposition_header(True, "runs.csv")
    response["Cache-Control"] = "private, no-store"
    return response


def _filtered(request: Request) -> tuple[str, RunFilter]:
    """The view, and the runs that it and the filters leave, newest first."""
    view = request.GET.get("view", "all")
    view = view if view in VIEWS else "all"
    found = Run.objects.visible_to(request.user).filter(VIEWS[view][1])
    if view == "mine":
        found = found.filter(started_by=request.user)
    return view, RunFilter(request.GET, found.newest_first())


def _wrong(filters: RunFilter) -> list[str]:
    """What is wrong with the address, in sentences."""
    if filters.is_valid():
        return []
    return [f"{LABELS.get(name, name)}: {' '.join(map(str, errors))}" for name, errors in filters.errors.items()]


def _rows(filters: RunFilter, before: int | None, top: int | None) -> tuple[list[Run], int]:
    """A page of runs and one more, and how many are newer than the `top` that the reader already has before them.

    A list that reloads itself stays where it is: new runs are counted above it, and come when the reader asks for them.
    """
    found = filters.qs.as_rows()
    if before is not None and (moment := _moment(filters, before)):
        return list(found.older_than(moment, before)[: PAGE + 1]), 0
    if top == NONE_YET:
        return [], _counted(found)
    if top is not None and (moment := _moment(filters, top)):
        return list(found.older_than(moment, top + 1)[: PAGE + 1]), _counted(found.newer_than(moment, top))
    return list(found[: PAGE + 1]), 0


def _counted(newer: RunQuerySet) -> int:
    return newer.values("pk")[: MOST_NEW + 1].count()


def _moment(filters: RunFilter, pk: int) -> datetime | None:
    """When this run was queued. A list that leads on from one that has been deleted begins anew."""
    queued: datetime | None = filters.queryset.filter(pk=pk).values_list("queued_at", flat=True).first()
    return queued


def _active(request: Request, target: Agent | Team | None) -> list[tuple[str, str, str]]:
    """The filters that are set: name, value in words, and the address without it."""
    chosen = uuid_or_none(request.GET.get("person", ""))
    person = colleagues_of(request.user).filter(uuid=chosen).first() if chosen else None
    shown = {
        "q": request.GET.get("q", "").strip(),
        "agent": target.name if isinstance(target, Agent) else "",
        "team": target.name if isinstance(target, Team) else "",
        "person": (person.name or person.email) if person is not None else "",
        "trigger": dict(Trigger.choices).get(request.GET.get("trigger", ""), ""),
        "since": request.GET.get("since", ""),
        "until": request.GET.get("until", ""),
    }
    return [(LABELS[name], text, list_address(request, **{name: ""})) for name, text in shown.items() if text]


def _offered(request: Request) -> Iterator[dict[str, Any]]:
    """The lists to choose from: the filter's name, and the value and text of each choice. Without a choice, none is offered.

    Asked for when the filters are opened; most who look at runs never do.
    """
    agents = Agent.objects.visible_to(request.user).order_by("name").values_list("uuid", "name")
    teams = Team.objects.visible_to(request.user).order_by("name").values_list("uuid", "name")
    shown = Coalesce(NullIf("name", Value("")), "email", output_field=TextField())
    people = colleagues_of(request.user).annotate(shown=shown).values_list("uuid", "shown")
    lists = {"agent": agents[:MOST_OFFERED], "team": teams[:MOST_OFFERED], "person": people[:MOST_OFFERED]}
    for name, found in {**lists, "trigger": Trigger.choices}.items():
        if options := [(str(value), text) for value, text in found]:
            yield {"name": name, "label": LABELS[name], "options": options, "value": request.GET.get(name, "")}


def _chosen(request: Request) -> Agent | Team | None:
    """The agent or team of which only the runs are listed."""
    for name, rows in (
        ("team", Team.objects.visible_to(request.user)),
        ("agent", Agent.objects.visible_to(request.user)),
    ):
        uuid = uuid_or_none(request.GET.get(name, ""))
        if uuid and (found := rows.filter(uuid=uuid).first()):
            return found
    return None

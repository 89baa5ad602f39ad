"""Pages that show teams: list, details, versions; and the form that makes one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_safe

from agents.views.doors import fragments
from mindloom.web.errors import Invalid
from mindloom.web.http import render_page
from teams import services
from teams.definition import TYPES, draw, find_type
from teams.forms import IdentityForm, TypeForm
from teams.queries import Filters, agents_in, listed, using_agent
from teams.views.common import described, drawn_types, has_changes, may_create, plain, rights, visible

if TYPE_CHECKING:
    from uuid import UUID

    from django.http import HttpResponse

    from accounts.middleware import Request
    from teams.models import Team

PAGE = 24


@login_required
@require_safe
def team_list(request: Request) -> HttpResponse:
    kind = find_type(request.GET.get("type", ""))
    show = request.GET.get("show", "")
    filters = Filters(
        text=plain(request.GET.get("q", ""))[:100],
        type=kind.key if kind else "",
        show=show if show in {"mine", "archived"} else "",
    )
    page = Paginator(listed(request.user, filters), PAGE).get_page(request.GET.get("page"))
    rows = list(page.object_list)
    agents = agents_in(request.user, [_shown(team) for team in rows])
    context = {
        "page": page,
        "rows": [_row(team, agents) for team in rows],
        "filters": filters,
        "types": TYPES,
        "may_create": may_create(request),
    }
    return render_page(request, "teams/list.html", context, partials={"teams": "results"})


def _shown(team: Team) -> dict[str, Any]:
    """What runs use, or the draft before the first publication."""
    definition: dict[str, Any] = team.published.definition if team.published else team.draft
    return definition


def _row(team: Team, agents: dict[str, Any]) -> dict[str, Any]:
    definition = _shown(team)
    kind = definition.get("type", "coordinate")
    members = [agents.get(one["agent"]) for one in definition.get("members", [])]
    return {"team": team, "kind": find_type(kind), "diagram": draw(kind, len(members)), "members": members}


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def create(request: Request) -> HttpResponse:
    """A form for type, name and purpose; members are chosen in the builder."""
    if request.department is None or not may_create(request):
        raise PermissionDenied("You may not make teams here. Ask a manager of your department.")
    sentences: dict[str, list[str]] = {}
    general = ""
    if request.method == "POST":
        given: dict[str, Any] = {
            name: request.POST[name] for name in ("type", *services.IDENTITY) if name in request.POST
        }
        try:
            team = services.create_team(
                actor=request.user, department_id=request.department.pk, **{"name": "", **given}
            )
        except Invalid as error:
            sentences, general = dict(error.fields), "" if error.fields else error.message
        else:
            messages.success(request, f"“{team.name}” is ready to be worked on. Choose its members.")
            return redirect("teams:edit", team.uuid)
    start = {"icon": services.ICONS[0], "visibility": "department", "type": "coordinate"}
    data = request.POST if request.method == "POST" else start
    context = {
        "form": IdentityForm(data, sentences),
        "type_form": TypeForm(data, sentences),
        "type_choices": drawn_types(),
        "general": general,
    }
    return render_page(request, "teams/create.html", context, status=422 if sentences or general else 200)


@login_required
@require_safe
def detail(request: Request, uuid: UUID) -> HttpResponse:
    team = visible(request, uuid)
    allowed = rights(request, team)
    context = {
        "team": team,
        "versions": team.versions.select_related("published_by").order_by("-number")[:5],
        "has_changes": allowed["is_inside"] and has_changes(team),
        "uses": fragments(team.uuid, "schedules:of_team"),
        **allowed,
        **described(request, _shown(team)),
    }
    return render_page(request, "teams/detail.html", context)


@login_required
@require_safe
def versions(request: Request, uuid: UUID) -> HttpResponse:
    team = visible(request, uuid)
    found = team.versions.select_related("published_by").defer("definition").order_by("-number")
    allowed = rights(request, team)
    context = {
        "team": team,
        "page": Paginator(found, PAGE).get_page(request.GET.get("page")),
        "has_changes": allowed["is_inside"] and has_changes(team),
        **allowed,
    }
    return render_page(request, "teams/versions.html", context)


@login_required
@require_safe
def version(request: Request, uuid: UUID, number: int) -> HttpResponse:
    team = visible(request, uuid)
    found = team.versions.select_related("published_by").filter(number=number).first() if number < 2**31 else None
    if found is None:
        raise Http404
    context = {"team": team, "version": found, **rights(request, team), **described(request, found.definition)}
    return render_page(request, "teams/version.html", context)


@login_required
@require_safe
def using_agent_part(request: Request, uuid: UUID) -> HttpResponse:
    """The teams that use an agent: a page, or a part of the agent's."""
    page = "teams/using_agent.html#using" if request.htmx else "teams/using_agent.html"
    return render_page(request, page, {"teams": using_agent(request.user, uuid)[:50]})

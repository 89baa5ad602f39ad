"""What there is to read about an agent: its page, its versions, what changed between them, its file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.views.decorators.http import require_safe

from agents.queries import DRAFT, agent_file, compared, difference, file_name, has_changes
from agents.views.doors import described, is_inside, rights, uses, version_of, visible
from mindloom.web.http import render_page

if TYPE_CHECKING:
    from uuid import UUID

    from accounts.middleware import Request

PAGE = 30


@login_required
@require_safe
def detail(request: Request, uuid: UUID) -> HttpResponse:
    agent = visible(request, uuid)
    inside = is_inside(request, agent)
    context = {
        "agent": agent,
        "versions": agent.versions.select_related("published_by").order_by("-number")[:5],
        "has_changes": inside and has_changes(agent),
        "uses": uses(agent),
        **rights(request, agent),
        **described(agent.published.definition if agent.published else agent.draft),
    }
    return render_page(request, "agents/detail.html", context)


@login_required
@require_safe
def versions(request: Request, uuid: UUID) -> HttpResponse:
    agent = visible(request, uuid)
    found = agent.versions.select_related("published_by").defer("definition").order_by("-number")
    context = {
        "agent": agent,
        "page": Paginator(found, PAGE).get_page(request.GET.get("page")),
        "has_changes": is_inside(request, agent) and has_changes(agent),
        **rights(request, agent),
    }
    return render_page(request, "agents/versions.html", context)


@login_required
@require_safe
def version(request: Request, uuid: UUID, number: int) -> HttpResponse:
    agent = visible(request, uuid)
    found = version_of(agent, number)
    context = {"agent": agent, "version": found, **rights(request, agent), **described(found.definition)}
    return render_page(request, "agents/version.html", context)


@login_required
@require_safe
def compare(request: Request, uuid: UUID) -> HttpResponse:
    """What changed from one version, or the draft, to another."""
    agent = visible(request, uuid)
    inside = is_inside(request, agent)
    before, after = compared(agent, request.GET.get("from", ""), request.GET.get("to", ""), inside=inside)
    numbers = agent.versions.order_by("-number").values_list("number", flat=True)[:200]
    choices = [(DRAFT, "Draft")] if inside else []
    context = {
        "agent": agent,
        "before": before,
        "after": after,
        "choices": [*choices, *((str(number), f"v{number}") for number in numbers)],
        **vars(difference(before.definition, after.definition)),
        **rights(request, agent),
    }
    return render_page(request, "agents/compare.html", context, partials={"difference": "difference"})


@login_required
@require_safe
def export(request: Request, uuid: UUID) -> HttpResponse:
    """The agent as a YAML file: its draft, for others the version that is published; `?version=3` is an earlier one."""
    agent = visible(request, uuid)
    wanted = request.GET.get("version", "")
    number = int(wanted) if wanted.isascii() and wanted.isdigit() and len(wanted) < 10 else None
    source = version_of(agent, number) if number is not None else None
    if source is None and not is_inside(request, agent):
        source = agent.published
    return HttpResponse(
        agent_file(agent, source),
        content_type="application/yaml; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{file_name(agent)}"'},
    )

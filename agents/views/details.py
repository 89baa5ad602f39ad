"""What there is to read about an agent: its page, its versions, what changed between them, its file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.utils.text import slugify
from django.views.decorators.http import require_safe

from agents.definition import blank, exchange, textdiff
from agents.definition.difference import sentences
from agents.queries import agent_file, has_changes, told_names
from agents.views.doors import described, is_inside, rights, uses, version_of, visible
from mindloom.web.http import render_page

if TYPE_CHECKING:
    from uuid import UUID

    from accounts.middleware import Request
    from agents.models import Agent

PAGE = 30
DRAFT = "draft"


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


@dataclass(frozen=True)
class Side:
    """One side of a comparison: "draft" or a version's number, and what stood there."""

    key: str
    label: str
    definition: dict[str, Any]


@login_required
@require_safe
def compare(request: Request, uuid: UUID) -> HttpResponse:
    """What changed from one version, or the draft, to another."""
    agent = visible(request, uuid)
    inside = is_inside(request, agent)
    before = _side(agent, request.GET.get("from") or _usual(agent, DRAFT), inside=inside)
    after = _side(agent, request.GET.get("to") or _usual(agent, DRAFT if inside else ""), inside=inside)
    numbers = agent.versions.order_by("-number").values_list("number", flat=True)[:200]
    choices = [(DRAFT, "Draft")] if inside else []
    context = {
        "agent": agent,
        "before": before,
        "after": after,
        "choices": [*choices, *((str(number), f"v{number}") for number in numbers)],
        **difference(before.definition, after.definition),
        **rights(request, agent),
    }
    return render_page(request, "agents/compare.html", context, partials={"difference": "difference"})


def difference(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """What changed, for the template `agents/_difference.html`."""
    old, new = {**blank(), **before}, {**blank(), **after}
    return {
        "changes": sentences(old, new, told_names(old, new)),
        "lines": textdiff.lines(old["instructions"], new["instructions"]),
    }


def _usual(agent: Agent, otherwise: str) -> str:
    """The version that people run; for the second side, what it is compared with."""
    if otherwise == DRAFT and agent.published is None:
        return DRAFT
    return str(agent.published.number) if agent.published and otherwise != DRAFT else otherwise


def _side(agent: Agent, key: str, *, inside: bool) -> Side:
    if key == DRAFT and inside:
        return Side(DRAFT, "draft", agent.draft)
    if not key.isascii() or not key.isdigit() or len(key) > 9:
        raise Http404
    found = version_of(agent, int(key))
    return Side(key, str(found), found.definition)


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
    return file_response(agent, agent_file(agent, source))


def file_response(agent: Agent, text: str) -> HttpResponse:
    """The file, to be saved under the agent's name."""
    name = f"{slugify(agent.name) or 'agent'}.{exchange.AGENT.word}.yaml"
    return HttpResponse(
        text,
        content_type="application/yaml; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"', "X-Content-Type-Options": "nosniff"},
    )

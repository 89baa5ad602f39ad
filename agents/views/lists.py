"""The list of agents, the gallery, and the three ways to a new agent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_safe

from agents import gallery, services
from agents.definition.exchange import LARGEST_FILE
from agents.forms import IdentityForm
from agents.queries import Filters, categories, listed, using_connection, using_tool
from agents.views.doors import may_create
from integrations import tools
from mindloom.web.errors import Invalid
from mindloom.web.http import render_page

if TYPE_CHECKING:
    from uuid import UUID

    from django.http import HttpResponse

    from accounts.middleware import Request
    from agents.models import AgentQuerySet

PAGE = 24
SHOWS = {"mine", "shared", "archived"}
MOST_USES = 50


@login_required
@require_safe
def agent_list(request: Request) -> HttpResponse:
    filters = Filters(
        text=_plain(request.GET.get("q", ""))[:100],
        category=_plain(request.GET.get("category", ""))[:40],
        show=request.GET.get("show", "") if request.GET.get("show") in SHOWS else "",
    )
    page = Paginator(listed(request.user, filters), PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "filters": filters,
        "categories": categories(request.user),
        "may_create": may_create(request),
    }
    return render_page(request, "agents/list.html", context, partials={"agents": "results"})


@login_required
@require_safe
def gallery_page(request: Request) -> HttpResponse:
    """Templates by category or word, one of them with everything it brings."""
    category, text = request.GET.get("category", ""), _plain(request.GET.get("q", ""))[:100]
    context = {
        "templates": gallery.search(text, category),
        "chosen": gallery.find(request.GET.get("template", "")),
        "category": category,
        "text": text,
        "categories": gallery.CATEGORIES,
        "may_create": may_create(request),
    }
    return render_page(request, "agents/gallery.html", context, partials={"gallery": "gallery"})


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def create(request: Request) -> HttpResponse:
    """A form for name and purpose; with a template, everything else comes from it."""
    if request.department is None or not may_create(request):
        raise PermissionDenied("You may not make agents here. Ask a manager of your department.")
    template = gallery.find(request.POST.get("template") or request.GET.get("template", ""))
    sentences: dict[str, list[str]] = {}
    general = ""
    if request.method == "POST":
        try:
            agent = services.create_agent(
                actor=request.user,
                department_id=request.department.pk,
                template=template.key if template else None,
                **_posted_identity(request),
            )
        except Invalid as error:
            sentences, general = dict(error.fields), "" if error.fields else error.message
        else:
            messages.success(
                request, f"“{agent.name}” is ready to be worked on. Publish it when it does what you want."
            )
            return redirect("agents:edit", agent.uuid)
    base = template or gallery.Template(
        key="", name="", icon="bot", category="", description="", instructions="", sample_input=""
    )
    start = {
        "name": base.name,
        "description": base.description,
        "icon": base.icon,
        "category": base.category,
        "visibility": "department",
    }
    form = IdentityForm(request.POST if request.method == "POST" else start, sentences)
    context = {"form": form, "template": template, "general": general, "categories": gallery.CATEGORIES}
    return render_page(request, "agents/create.html", context, status=422 if sentences or general else 200)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def import_page(request: Request) -> HttpResponse:
    """An agent from an exported file."""
    if request.department is None or not may_create(request):
        raise PermissionDenied("You may not make agents here. Ask a manager of your department.")
    fields: dict[str, list[str]] = {}
    if request.method == "POST":
        try:
            made = services.import_agent(
                actor=request.user, department_id=request.department.pk, data=_uploaded(request)
            )
        except Invalid as error:
            fields = error.fields or {"file": [error.message]}
        else:
            for note in made.notes:
                messages.warning(request, note)
            messages.success(request, f"“{made.agent.name}” is imported as a draft. Look through it, then publish it.")
            return redirect("agents:edit", made.agent.uuid)
    context = {
        "fields": {path: said for path, said in fields.items() if path != "file"},
        "file": fields.get("file", []),
    }
    return render_page(request, "agents/import.html", context, status=422 if fields else 200)


def _uploaded(request: Request) -> bytes:
    file: Any = request.FILES.get("file")
    if file is None:
        raise Invalid(fields={"file": ["Choose a file that was exported here or in another Mindloom."]})
    data: bytes = file.read(LARGEST_FILE + 1)
    return data


@login_required
@require_safe
def using_tool_fragment(request: Request, key: str) -> HttpResponse:
    """The agents that have a tool, for the tool's page."""
    tool = tools.find(key)
    return _using(request, using_tool(request.user, key), tool.name if tool else key)


@login_required
@require_safe
def using_connection_fragment(request: Request, uuid: UUID) -> HttpResponse:
    """The agents that work through a connection, for the connection's page."""
    return _using(request, using_connection(request.user, uuid), "this connection")


def _using(request: Request, agents: AgentQuerySet, what: str) -> HttpResponse:
    found = list(agents[: MOST_USES + 1])
    context = {"agents": found[:MOST_USES], "more": len(found) > MOST_USES, "what": what}
    # Whatever element asks for it, it is filled with the list alone.
    target = (request.htmx.target or "") if request.htmx else ""
    return render_page(request, "agents/using.html", context, partials={target.rpartition("#")[2]: "using"})


def _posted_identity(request: Request) -> dict[str, Any]:
    return {"name": ""} | {name: request.POST[name] for name in services.IDENTITY if name in request.POST}


def _plain(text: str) -> str:
    return text.replace("\x00", "").strip()

"""Pages of agents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import Role
from accounts.queries import may
from agents import gallery, services
from agents.definition import KINDS, problems
from agents.forms import Builder, IdentityForm, by_input, read, rearranged, section_of, write
from agents.models import Agent
from agents.queries import Filters, categories, listed
from integrations import tools
from integrations.models import Model
from mindloom.web.errors import Conflict, Invalid, MindloomError, NotAllowed
from mindloom.web.http import render_page

if TYPE_CHECKING:
    from uuid import UUID

    from django.http import QueryDict

    from accounts.middleware import Request

PAGE = 24
SECTIONS = (
    ("identity", "Identity"),
    ("instructions", "Instructions"),
    ("variables", "Variables"),
    ("model", "Model"),
    ("tools", "Tools"),
    ("limits", "Limits"),
)


@login_required
@require_safe
def agent_list(request: Request) -> HttpResponse:
    filters = Filters(
        text=_plain(request.GET.get("q", ""))[:100],
        category=_plain(request.GET.get("category", ""))[:40],
        show=request.GET.get("show", "") if request.GET.get("show") in {"mine", "archived"} else "",
    )
    page = Paginator(listed(request.user, filters), PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "filters": filters,
        "categories": categories(request.user),
        "may_create": _may_create(request),
    }
    return render_page(request, "agents/list.html", context, partials={"agents": "results"})


@login_required
@require_safe
def gallery_page(request: Request) -> HttpResponse:
    category = request.GET.get("category", "")
    shown = [one for one in gallery.TEMPLATES if not category or one.category == category]
    chosen = gallery.find(request.GET.get("template", ""))
    context = {
        "templates": shown,
        "chosen": chosen,
        "category": category,
        "categories": gallery.CATEGORIES,
        "may_create": _may_create(request),
    }
    return render_page(request, "agents/gallery.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def create(request: Request) -> HttpResponse:
    """A form for name and purpose; with a template, everything else comes from it."""
    if request.department is None or not _may_create(request):
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
@require_safe
def detail(request: Request, uuid: UUID) -> HttpResponse:
    agent = _visible(request, uuid)
    context = {
        "agent": agent,
        "definition": agent.published.definition if agent.published else agent.draft,
        "versions": agent.versions.select_related("published_by").order_by("-number")[:50],
        "has_changes": _has_changes(agent),
        **_rights(request, agent),
    }
    context |= _described(context["definition"])
    return render_page(request, "agents/detail.html", context)


@login_required
@require_safe
def version(request: Request, uuid: UUID, number: int) -> HttpResponse:
    agent = _visible(request, uuid)
    found = agent.versions.select_related("published_by").filter(number=number).first() if number < 2**31 else None
    if found is None:
        raise Http404
    context = {"agent": agent, "version": found, "definition": found.definition, **_rights(request, agent)}
    context |= _described(found.definition)
    return render_page(request, "agents/version.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: Request, uuid: UUID) -> HttpResponse:
    """The builder. Posted, it keeps the draft, or only adds and moves rows; whatever was written comes back when it is refused."""
    agent = _editable(request, uuid)
    if agent.archived_at is not None:
        return redirect("agents:detail", agent.uuid)
    if request.method != "POST":
        return _builder(request, agent, write(agent))
    action = request.POST.get("action", "save")
    if action != "save":
        return _builder(request, agent, rearranged(request.POST, action))
    try:
        agent = _keep(request, agent)
    except Invalid as error:
        return _builder(request, agent, request.POST, by_input(error.fields, request.POST), error.message, status=422)
    except Conflict as error:
        return _builder(request, agent, request.POST, general=error.message, status=409)
    messages.success(request, "The draft is saved.")
    return redirect("agents:edit", agent.uuid)


@login_required
@require_POST
def autosave(request: Request, uuid: UUID) -> HttpResponse:
    """Keep the draft while it is being written; answers JSON: digest and time, or sentences by input."""
    try:
        agent = _keep(request, _editable(request, uuid))
    except Invalid as error:
        return JsonResponse(
            {"message": "Not saved yet: some fields are not right.", "errors": by_input(error.fields, request.POST)},
            status=422,
        )
    except MindloomError as error:
        return JsonResponse({"message": error.message, "code": error.code, "errors": {}}, status=error.status)
    saved = timezone.localtime().strftime("%H:%M")
    notes = _notes(agent, request.POST)
    return JsonResponse({"digest": agent.draft_digest, "saved": saved, "notes": notes, "changed": _has_changes(agent)})


@login_required
@require_POST
def publish(request: Request, uuid: UUID) -> HttpResponse:
    agent = _editable(request, uuid)
    try:
        made = services.publish_agent(actor=request.user, agent=agent, note=request.POST.get("note", ""))
    except Invalid as error:
        agent.refresh_from_db()
        data = write(agent)
        return _builder(
            request, agent, data, by_input(error.fields, data), "This is not ready to be published.", status=422
        )
    except Conflict as error:
        messages.warning(request, error.message)
        return redirect("agents:edit", agent.uuid)
    messages.success(request, f"{made} of “{agent.name}” is published. Runs use it from now on.")
    return redirect("agents:detail", agent.uuid)


@login_required
@require_POST
def discard(request: Request, uuid: UUID) -> HttpResponse:
    return _do(
        request,
        _editable(request, uuid),
        services.discard_draft,
        "The draft is back to what is published.",
        "agents:edit",
    )


@login_required
@require_POST
def duplicate(request: Request, uuid: UUID) -> HttpResponse:
    agent = _visible(request, uuid)
    try:
        copy = services.duplicate_agent(actor=request.user, agent=agent)
    except NotAllowed as error:
        raise PermissionDenied(error.message) from None
    except MindloomError as error:
        messages.error(request, error.message)
        return redirect("agents:detail", agent.uuid)
    messages.success(request, f"“{copy.name}” is a copy that you can change.")
    return redirect("agents:edit", copy.uuid)


@login_required
@require_POST
def archive(request: Request, uuid: UUID) -> HttpResponse:
    return _do(
        request, _editable(request, uuid), services.archive_agent, "“{}” is archived. Its runs stay.", "agents:detail"
    )


@login_required
@require_POST
def restore(request: Request, uuid: UUID) -> HttpResponse:
    return _do(request, _editable(request, uuid), services.restore_agent, "“{}” is back in use.", "agents:detail")


@login_required
@require_POST
def delete(request: Request, uuid: UUID) -> HttpResponse:
    agent = _editable(request, uuid)
    try:
        services.delete_agent(actor=request.user, agent=agent)
    except Conflict as error:
        messages.error(request, error.message)
        return redirect("agents:detail", agent.uuid)
    messages.success(request, f"“{agent.name}” is deleted.")
    return redirect("agents:list")


def _do(request: Request, agent: Agent, verb: Any, said: str, target: str) -> HttpResponse:
    try:
        verb(actor=request.user, agent=agent)
    except Conflict as error:
        messages.error(request, error.message)
    else:
        messages.success(request, said.format(agent.name))
    return redirect(target, agent.uuid)


def _posted_identity(request: Request) -> dict[str, Any]:
    return {"name": ""} | {name: request.POST[name] for name in services.IDENTITY if name in request.POST}


def _keep(request: Request, agent: Agent) -> Agent:
    identity, definition = read(request.POST)
    digest = request.POST.get("draft_digest", "")
    return services.update_draft(
        actor=request.user, agent=agent, definition=definition, draft_digest=digest, **identity
    )


def _builder(
    request: Request,
    agent: Agent,
    data: QueryDict,
    sentences: dict[str, list[str]] | None = None,
    general: str = "",
    status: int = 200,
) -> HttpResponse:
    notes = _notes(agent, data)
    builder = Builder(data, Model.objects.usable(), sentences)
    context = {
        "agent": agent,
        "builder": builder,
        "general": [general, *builder.general] if general else builder.general,
        "digest": data.get("draft_digest") or agent.draft_digest,
        "sections": [{"key": key, "label": label, "notes": notes.get(key, [])} for key, label in SECTIONS],
        "notes": notes,
        "is_ready": not notes,
        "has_changes": _has_changes(agent),
        "next_number": (agent.published.number if agent.published else 0) + 1,
        "tokens": len(builder.content["instructions"].value() or "") // 4,
        "categories": gallery.CATEGORIES,
        "test_url": _reverse_or_none("runs:test_panel", agent),
        **_rights(request, agent),
    }
    return render_page(request, "agents/edit.html", context, status=status)


def _notes(agent: Agent, data: QueryDict) -> dict[str, list[str]]:
    """What keeps the stored draft from being published, by section."""
    found: dict[str, list[str]] = {}
    for name, sentences in by_input(problems(agent.draft), data).items():
        found.setdefault(section_of(name), []).extend(sentences)
    return found


def _described(definition: Any) -> dict[str, Any]:
    """Tools and variables of a definition in words for people."""
    found = [tools.find(chosen["key"]) for chosen in definition.get("tools", [])]
    variables = [{**one, "kind": KINDS[one["kind"]]} for one in definition.get("variables", [])]
    return {"used_tools": [tool for tool in found if tool is not None], "variables": variables}


def _has_changes(agent: Agent) -> bool:
    return agent.published is not None and agent.published.digest != agent.draft_digest


def _visible(request: Request, uuid: UUID) -> Agent:
    agents = Agent.objects.visible_to(request.user).select_related("owner", "published", "department")
    return get_object_or_404(agents, uuid=uuid)


def _editable(request: Request, uuid: UUID) -> Agent:
    agent = _visible(request, uuid)
    if not Agent.objects.editable_by(request.user).filter(pk=agent.pk).exists():
        raise PermissionDenied(
            "Only its owner and the department’s managers may change this agent. You can make a copy."
        )
    return agent


def _rights(request: Request, agent: Agent) -> dict[str, Any]:
    is_member = may(request.user, Role.MEMBER, agent.department_id)
    return {
        "may_edit": is_member
        and (agent.owner_id == request.user.pk or may(request.user, Role.MANAGER, agent.department_id)),
        "may_run": is_member and agent.archived_at is None and agent.published_id is not None,
        "may_copy": is_member,
        "run_url": _reverse_or_none("runs:start", agent),
    }


def _may_create(request: Request) -> bool:
    return request.department is not None and may(request.user, Role.MEMBER, request.department.pk)


def _reverse_or_none(name: str, agent: Agent) -> str | None:
    """The address of a page of a higher app, which may not be installed."""
    try:
        return reverse(name, args=[agent.uuid])
    except NoReverseMatch:
        return None


def _plain(text: str) -> str:
    return text.replace("\x00", "").strip()

"""The builder: the draft and its way to a version."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from agents import gallery, services
from agents.definition import check
from agents.forms import Builder, by_input, read, rearranged, section_of, write
from agents.queries import bucket_rows, connections_for, difference, has_changes
from agents.specs import unready
from agents.views.doors import editable, reverse_or_none, rights
from integrations.models import Model
from mindloom.web.errors import Conflict, Invalid, MindloomError
from mindloom.web.http import render_page

if TYPE_CHECKING:
    from uuid import UUID

    from django.http import QueryDict

    from accounts.middleware import Request
    from agents.models import Agent

SECTIONS = (
    ("identity", "Identity"),
    ("instructions", "Instructions"),
    ("variables", "Variables"),
    ("model", "Model"),
    ("knowledge", "Knowledge"),
    ("tools", "Tools"),
    ("memory", "Memory"),
    ("answer", "Answer"),
    ("limits", "Limits"),
    ("sharing", "Sharing"),
)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: Request, uuid: UUID) -> HttpResponse:
    """The builder. Posted, it keeps the draft, or only adds and moves rows; whatever was written comes back when it is refused."""
    agent = editable(request, uuid)
    if agent.archived_at is not None:
        return redirect("agents:detail", agent.uuid)
    if request.method != "POST":
        return _builder(request, agent, write(agent))
    action = request.POST.get("action", "save")
    if action not in {"save", "review"}:
        return _builder(request, agent, rearranged(request.POST, action))
    try:
        agent = _keep(request, agent)
    except Invalid as error:
        return _builder(request, agent, request.POST, by_input(error.fields, request.POST), error.message, status=422)
    except Conflict as error:
        return _builder(request, agent, request.POST, general=error.message, status=409)
    if action == "save":
        messages.success(request, "The draft is saved.")
    return redirect("agents:edit" if action == "save" else "agents:publish", agent.uuid)


@login_required
@require_POST
def autosave(request: Request, uuid: UUID) -> HttpResponse:
    """Keep the draft while it is being written; answers JSON: digest and time, or sentences by input."""
    try:
        agent = _keep(request, editable(request, uuid))
    except Invalid as error:
        return JsonResponse(
            {"message": "Not saved yet: some fields are not right.", "errors": by_input(error.fields, request.POST)},
            status=422,
        )
    except MindloomError as error:
        return JsonResponse({"message": error.message, "code": error.code, "errors": {}}, status=error.status)
    saved = timezone.localtime().strftime("%H:%M")
    notes = _notes(request, agent, request.POST)
    return JsonResponse({"digest": agent.draft_digest, "saved": saved, "notes": notes, "changed": has_changes(agent)})


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def publish(request: Request, uuid: UUID) -> HttpResponse:
    """What the draft changes, with a field for what is new; posted, the draft becomes the version that people run."""
    agent = editable(request, uuid)
    if request.method != "POST":
        return _review(request, agent)
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
    agent = editable(request, uuid)
    try:
        services.discard_draft(actor=request.user, agent=agent)
    except Conflict as error:
        messages.error(request, error.message)
    else:
        messages.success(request, "The draft is back to what is published.")
    return redirect("agents:edit", agent.uuid)


@login_required
@require_POST
def restore_version(request: Request, uuid: UUID, number: int) -> HttpResponse:
    """An earlier version becomes the draft."""
    agent = editable(request, uuid)
    try:
        services.restore_version(actor=request.user, agent=agent, number=number)
    except Conflict as error:
        messages.error(request, error.message)
        return redirect("agents:versions", agent.uuid)
    messages.success(
        request, f"The draft is v{number} again. People go on with {agent.published} until you publish it."
    )
    return redirect("agents:edit", agent.uuid)


def _review(request: Request, agent: Agent) -> HttpResponse:
    notes = _notes(request, agent, write(agent))
    context = {
        "agent": agent,
        "next_number": _next_number(agent),
        "sections": [(key, label, notes[key]) for key, label in SECTIONS if key in notes],
        "before": agent.published,
        **vars(difference(agent.published.definition if agent.published else agent.draft, agent.draft)),
    }
    return render_page(request, "agents/publish.html", context, partials={"difference": "difference"})


def _keep(request: Request, agent: Agent) -> Agent:
    identity, definition, wrong = read(request.POST)
    if wrong:
        try:
            check(definition, complete=False)
        except Invalid as error:
            raise Invalid(fields={**wrong, **error.fields}) from None
        raise Invalid(fields=wrong)
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
    notes = _notes(request, agent, data)
    builder = Builder(
        data,
        Model.objects.usable().allowed_in(agent.department),
        sentences,
        connections_for(request.user, agent.department_id),
        agent.department.allowed_tools,
    )
    context = {
        "agent": agent,
        "builder": builder,
        "bucket_rows": bucket_rows(request.user, agent.department_id, builder.buckets),
        "general": [general, *builder.general] if general else builder.general,
        "digest": data.get("draft_digest") or agent.draft_digest,
        "sections": [{"key": key, "label": label, "notes": notes.get(key, [])} for key, label in SECTIONS],
        "notes": notes,
        "has_changes": has_changes(agent),
        "next_number": _next_number(agent),
        "categories": gallery.CATEGORIES,
        "test_url": reverse_or_none("runs:test_panel", agent.uuid),
        "connections_url": reverse_or_none("integrations:connections"),
        **rights(request, agent),
    }
    return render_page(request, "agents/edit.html", context, status=status)


def _notes(request: Request, agent: Agent, data: QueryDict) -> dict[str, list[str]]:
    """What keeps the stored draft from being published, by section."""
    found: dict[str, list[str]] = {}
    for name, sentences in by_input(unready(agent.draft, agent.department_id, request.user), data).items():
        found.setdefault(section_of(name), []).extend(sentences)
    return found


def _next_number(agent: Agent) -> int:
    newest: Any = agent.versions.order_by("-number").values_list("number", flat=True).first()
    return (newest or 0) + 1

"""Pages of conversations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import OuterRef, Q, Subquery
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from agents.models import Agent
from mindloom.web.errors import Conflict, Invalid, MindloomError, NotAllowed
from mindloom.web.http import render_page
from runs import services
from runs.forms import MessageForm
from runs.models import Conversation, Run
from runs.services import Attachment
from runs.stream.turns import turns_of
from teams.models import Team

if TYPE_CHECKING:
    from uuid import UUID

    from django.http import HttpResponse

    from accounts.middleware import Request

PAGE = 30
TURNS = 20
"""Turns that are in the page at first; the others are asked for."""


@login_required
@require_safe
def conversation_list(request: Request) -> HttpResponse:
    text = request.GET.get("q", "").replace("\x00", "").strip()[:100]
    latest = Run.objects.visible_to(request.user).filter(conversation=OuterRef("pk"), replaced=False).order_by("-pk")
    found = (
        Conversation.objects.visible_to(request.user)
        .filter(owner=request.user)
        .select_related("agent", "team")
        .annotate(state=Subquery(latest.values("state")[:1]))
        .order_by("-updated_at", "-pk")
    )
    if text:
        found = found.filter(Q(title__icontains=text) | Q(agent__name__icontains=text) | Q(team__name__icontains=text))
    page = Paginator(found, PAGE).get_page(request.GET.get("page"))
    context = {"page": page, "q": text, "has_agents": Agent.objects.runnable_by(request.user).exists()}
    return render_page(request, "conversations/list.html", context, partials={"conversations": "results"})


@login_required
@require_POST
def converse(request: Request, agent_uuid: UUID) -> HttpResponse:
    return _begin(request, get_object_or_404(Agent.objects.visible_to(request.user), uuid=agent_uuid))


@login_required
@require_POST
def converse_team(request: Request, team_uuid: UUID) -> HttpResponse:
    return _begin(request, get_object_or_404(Team.objects.visible_to(request.user), uuid=team_uuid))


def _begin(request: Request, target: Agent | Team) -> HttpResponse:
    department = request.department.pk if request.department is not None else None
    try:
        made = services.start_conversation(actor=request.user, target=target, department_id=department)
    except NotAllowed as error:
        raise PermissionDenied(error.message) from None
    except Conflict as error:
        messages.warning(request, error.message)
        return redirect("teams:detail" if isinstance(target, Team) else "agents:detail", target.uuid)
    return redirect("runs:conversation", made.uuid)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def conversation(request: Request, uuid: UUID) -> HttpResponse:
    """The thread, and what is said next."""
    found = _visible(request, uuid)
    form = MessageForm(_variables(found), request.POST or None, request.FILES or None)
    status = 200
    if request.method == "POST":
        _check_owner(request, found)
        if form.is_valid() and _say(request, found, form):
            return redirect("runs:conversation", found.uuid)
        status = 422
    return _page(request, found, form, status=status)


def _say(request: Request, found: Conversation, form: MessageForm) -> bool:
    files = [Attachment(one.name or "", one.read(services.LARGEST_FILE + 1)) for one in form.cleaned_data["files"]]
    try:
        services.say(
            actor=request.user,
            conversation=found,
            text=form.cleaned_data["input"],
            variables=form.values if form.asks_variables else None,
            files=files,
        )
    except Invalid as error:
        form.add_errors(error.fields or {"": [error.message]})
    except (Conflict, NotAllowed) as error:
        form.add_error(None, error.message)
    else:
        return True
    return False


@login_required
@require_safe
def turn(request: Request, uuid: UUID, run_uuid: UUID) -> HttpResponse:
    """One question and its answer, as they stand now."""
    found = _visible(request, uuid)
    run = _run_of(found, run_uuid)
    context = {"conversation": found, "turn": turns_of([run])[0], **_rights(request, found)}
    return render_page(request, "conversations/turn.html", context, partials={f"turn-{run.uuid}": "turn"})


@login_required
@require_POST
def resend(request: Request, uuid: UUID, run_uuid: UUID) -> HttpResponse:
    """Say something else instead of an earlier message. What was refused stays in its field, with the reason beside it."""
    found = _owned(request, uuid)
    run = _run_of(found, run_uuid)
    text = request.POST.get("text", "")
    try:
        services.edit_and_resend(actor=request.user, run=run, text=text)
    except (Invalid, Conflict) as error:
        reasons = [sentence for sentences in error.fields.values() for sentence in sentences] or [error.message]
        editing = {"run": run.uuid, "text": text, "reason": reasons[0]}
        return _page(request, found, MessageForm(_variables(found)), status=error.status, editing=editing)
    return redirect("runs:conversation", found.uuid)


@login_required
@require_POST
def retry(request: Request, uuid: UUID, run_uuid: UUID) -> HttpResponse:
    found = _owned(request, uuid)
    return _do(request, found, services.retry_turn, run=_run_of(found, run_uuid))


@login_required
@require_POST
def stop_turn(request: Request, uuid: UUID, run_uuid: UUID) -> HttpResponse:
    found = _owned(request, uuid)
    return _do(request, found, services.stop_run, run=_run_of(found, run_uuid))


@login_required
@require_POST
def rename(request: Request, uuid: UUID) -> HttpResponse:
    found = _owned(request, uuid)
    return _do(request, found, services.rename_conversation, conversation=found, title=request.POST.get("title", ""))


@login_required
@require_POST
def delete(request: Request, uuid: UUID) -> HttpResponse:
    found = _owned(request, uuid)
    services.delete_conversation(actor=request.user, conversation=found)
    messages.success(request, f"“{found}” is deleted. Its runs are still among your runs.")
    return redirect("runs:conversations")


def _do(request: Request, found: Conversation, verb: Any, **given: Any) -> HttpResponse:
    try:
        verb(actor=request.user, **given)
    except Invalid as error:
        messages.error(request, next(iter(error.fields.values()))[0] if error.fields else error.message)
    except MindloomError as error:
        messages.warning(request, error.message)
    return redirect("runs:conversation", found.uuid)


def _page(
    request: Request,
    found: Conversation,
    form: MessageForm,
    *,
    status: int,
    editing: dict[str, Any] | None = None,
) -> HttpResponse:
    show_replaced, before = bool(request.GET.get("replaced")), request.GET.get("before", "")
    runs = found.runs.select_related("agent", "team").order_by("-pk")
    if not show_replaced:
        runs = runs.filter(replaced=False)
    if before.isascii() and before.isdigit() and len(before) < 19:
        runs = runs.filter(pk__lt=int(before))
    shown = list(runs[: TURNS + 1])
    turns = turns_of(list(reversed(shown[:TURNS])))
    live = next((one.run for one in turns if not one.run.is_terminal), None)
    context = {
        "conversation": found,
        "turns": turns,
        "earlier": shown[TURNS - 1].pk if len(shown) > TURNS else None,
        "later": bool(before),
        "editing": editing,
        "replaced": 0 if show_replaced else found.runs.filter(replaced=True).count(),
        "live": live,
        "form": form,
        **_rights(request, found),
    }
    return render_page(request, "conversations/detail.html", context, partials={"talk": "talk"}, status=status)


def _rights(request: Request, found: Conversation) -> dict[str, Any]:
    return {"may_speak": Conversation.objects.editable_by(request.user).filter(pk=found.pk).exists()}


def _variables(found: Conversation) -> list[dict[str, Any]]:
    """Those that the first message asks for; none later."""
    version = found.target.published if found.target is not None else None
    if version is None or found.runs.exists():
        return []
    return list(version.definition.get("variables", []))


def _visible(request: Request, uuid: UUID) -> Conversation:
    found = Conversation.objects.visible_to(request.user).select_related(
        "agent__published", "team__published", "owner", "department"
    )
    return get_object_or_404(found, uuid=uuid)


def _owned(request: Request, uuid: UUID) -> Conversation:
    found = _visible(request, uuid)
    _check_owner(request, found)
    return found


def _check_owner(request: Request, found: Conversation) -> None:
    if not Conversation.objects.editable_by(request.user).filter(pk=found.pk).exists():
        raise PermissionDenied("Only the person who has this conversation can go on with it.")


def _run_of(found: Conversation, run_uuid: UUID) -> Run:
    return get_object_or_404(found.runs.select_related("agent", "team", "conversation"), uuid=run_uuid)

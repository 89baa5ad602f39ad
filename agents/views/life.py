"""What happens to agents as a whole: copied, handed over, archived, deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST

from agents import services
from agents.queries import heirs
from agents.views.doors import editable, uses, visible
from mindloom.web.errors import Conflict, Invalid, MindloomError, NotAllowed
from mindloom.web.http import render_page

if TYPE_CHECKING:
    from uuid import UUID

    from django.http import HttpResponse

    from accounts.middleware import Request
    from accounts.models import User
    from agents.models import Agent


@login_required
@require_POST
def duplicate(request: Request, uuid: UUID) -> HttpResponse:
    """A copy in the department in which the person works."""
    agent = visible(request, uuid)
    department = request.department.pk if request.department is not None else None
    try:
        copy = services.duplicate_agent(actor=request.user, agent=agent, department_id=department)
    except NotAllowed as error:
        raise PermissionDenied(error.message) from None
    except MindloomError as error:
        messages.error(request, error.message)
        return redirect("agents:detail", agent.uuid)
    messages.success(request, f"“{copy.name}” is a copy that you can change.")
    return redirect("agents:edit", copy.uuid)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def transfer(request: Request, uuid: UUID) -> HttpResponse:
    """Somebody else of the department becomes the owner."""
    agent = editable(request, uuid)
    people = heirs(agent)
    wrong = ""
    if request.method == "POST":
        try:
            to = _chosen(people, request.POST.get("owner", ""))
            services.transfer_agent(actor=request.user, agent=agent, to=to)
        except Invalid as error:
            wrong = error.message
        else:
            messages.success(request, f"“{agent.name}” belongs to {to.name or to.email} now.")
            return redirect("agents:detail", agent.uuid)
    context = {"agent": agent, "people": [one for one in people if one.pk != agent.owner_id], "wrong": wrong}
    return render_page(request, "agents/transfer.html", context, status=422 if wrong else 200)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def archive(request: Request, uuid: UUID) -> HttpResponse:
    """Asks first, and shows what uses the agent."""
    agent = editable(request, uuid)
    if request.method == "POST":
        return _do(request, agent, services.archive_agent, "“{}” is archived. Its runs stay.")
    return render_page(request, "agents/archive.html", {"agent": agent, "uses": uses(agent)})


@login_required
@require_POST
def restore(request: Request, uuid: UUID) -> HttpResponse:
    return _do(request, editable(request, uuid), services.restore_agent, "“{}” is back in use.")


@login_required
@require_POST
def delete(request: Request, uuid: UUID) -> HttpResponse:
    agent = editable(request, uuid)
    try:
        services.delete_agent(actor=request.user, agent=agent)
    except Conflict as error:
        messages.error(request, error.message)
        return redirect("agents:detail", agent.uuid)
    messages.success(request, f"“{agent.name}” is deleted.")
    return redirect("agents:list")


def _chosen(people: list[User], uuid: str) -> User:
    for one in people:
        if str(one.uuid) == uuid:
            return one
    raise Invalid("Choose a member of the department.")


def _do(request: Request, agent: Agent, verb: Any, said: str) -> HttpResponse:
    try:
        verb(actor=request.user, agent=agent)
    except Conflict as error:
        messages.error(request, error.message)
    else:
        messages.success(request, said.format(agent.name))
    return redirect("agents:detail", agent.uuid)

"""What is done to a whole team by one button."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST

from mindloom.web.errors import Conflict, Invalid, MindloomError, NotAllowed
from mindloom.web.http import render_page
from teams import services
from teams.queries import heirs
from teams.views.common import editable, visible

if TYPE_CHECKING:
    from uuid import UUID

    from django.http import HttpResponse

    from accounts.middleware import Request
    from teams.models import Team


@login_required
@require_POST
def discard(request: Request, uuid: UUID) -> HttpResponse:
    return _do(
        request,
        editable(request, uuid),
        services.discard_draft,
        "The draft is back to what is published.",
        "teams:edit",
    )


@login_required
@require_POST
def duplicate(request: Request, uuid: UUID) -> HttpResponse:
    """A copy in the department where the person works."""
    team = visible(request, uuid)
    department = request.department.pk if request.department is not None else team.department_id
    try:
        copy = services.duplicate_team(actor=request.user, team=team, department_id=department)
    except NotAllowed as error:
        raise PermissionDenied(error.message) from None
    except MindloomError as error:
        messages.error(request, error.message)
        return redirect("teams:detail", team.uuid)
    messages.success(request, f"“{copy.name}” is a copy that you can change.")
    return redirect("teams:edit", copy.uuid)


@login_required
@require_POST
def archive(request: Request, uuid: UUID) -> HttpResponse:
    return _do(
        request, editable(request, uuid), services.archive_team, "“{}” is archived. Its runs stay.", "teams:detail"
    )


@login_required
@require_POST
def restore(request: Request, uuid: UUID) -> HttpResponse:
    return _do(request, editable(request, uuid), services.restore_team, "“{}” is back in use.", "teams:detail")


@login_required
@require_POST
def restore_version(request: Request, uuid: UUID, number: int) -> HttpResponse:
    """An earlier version becomes the draft."""
    team = editable(request, uuid)
    try:
        services.restore_version(actor=request.user, team=team, number=number)
    except Conflict as error:
        messages.error(request, error.message)
        return redirect("teams:versions", team.uuid)
    messages.success(request, f"The draft is v{number} again. People go on with {team.published} until you publish it.")
    return redirect("teams:edit", team.uuid)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def transfer(request: Request, uuid: UUID) -> HttpResponse:
    """Choose who looks after the team from now on."""
    team = editable(request, uuid)
    people = [one for one in heirs(team) if one.pk != team.owner_id]
    wrong = ""
    if request.method == "POST":
        to = next((one for one in people if str(one.uuid) == request.POST.get("owner")), None)
        try:
            if to is not None:
                services.transfer_team(actor=request.user, team=team, to=to)
                messages.success(request, f"“{team.name}” belongs to {to.name or to} now.")
                return redirect("teams:detail", team.uuid)
            wrong = "Choose one of the people."
        except Invalid as error:
            wrong = error.message
    context = {"team": team, "people": people, "wrong": wrong}
    return render_page(request, "teams/transfer.html", context, status=422 if wrong else 200)


@login_required
@require_POST
def delete(request: Request, uuid: UUID) -> HttpResponse:
    team = editable(request, uuid)
    try:
        services.delete_team(actor=request.user, team=team)
    except Conflict as error:
        messages.error(request, error.message)
        return redirect("teams:detail", team.uuid)
    messages.success(request, f"“{team.name}” is deleted.")
    return redirect("teams:list")


def _do(request: Request, team: Team, verb: Any, said: str, target: str) -> HttpResponse:
    try:
        verb(actor=request.user, team=team)
    except Conflict as error:
        messages.error(request, error.message)
    else:
        messages.success(request, said.format(team.name))
    return redirect(target, team.uuid)

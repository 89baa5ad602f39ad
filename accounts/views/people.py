"""The people of a department, for its managers."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Q
from django.db.models.functions import Lower
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST, require_safe

from accounts import services
from accounts.models import Membership, Role
from accounts.queries import invitations_editable_by, may, members_editable_by
from mindloom.web.errors import Conflict, NotAllowed, NotFound
from mindloom.web.http import render_page

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from accounts.middleware import Request
    from accounts.models import Department, Invitation, MembershipQuerySet

PAGE = 50
MOST_SHOWN = 200
ROLE_NOTES = {
    Role.VIEWER: "looks at agents and runs",
    Role.MEMBER: "builds and runs agents",
    Role.MANAGER: "also manages people and what others made",
}


@login_required
@require_safe
def people(request: Request) -> HttpResponse:
    found = _editable(request)
    wanted = request.GET.get("q", "").replace("\x00", "")[:100].strip()
    members = found.filter(status=Membership.Status.ACTIVE).order_by(Lower("user__name"), "pk")
    if wanted:
        members = members.filter(Q(user__name__icontains=wanted) | Q(user__email__icontains=wanted))
    context = {
        "waiting": list(found.pending().order_by("pk")[:PAGE]),
        "page": Paginator(members, PAGE).get_page(request.GET.get("page")),
        "wanted": wanted,
        "roles": [(role.value, role.label, ROLE_NOTES[role]) for role in Role],
        "department": request.department,
        "invitations": list(_invitations(request)),
    }
    return render_page(request, "accounts/people.html", context, partials={"people": "members"})


def _editable(request: Request) -> MembershipQuerySet:
    """The current department's memberships; 403 for those who do not manage it."""
    department = request.department
    if department is None or not may(request.user, Role.MANAGER, department.pk):
        raise PermissionDenied
    return members_editable_by(request.user).in_departments([department.pk])


def _invitations(request: Request) -> Iterable[Invitation]:
    """To the current department, the newest first."""
    department: Department = request.department  # type: ignore[assignment]  # `_editable` has seen it
    found = invitations_editable_by(request.user).in_departments([department.pk])
    return found.select_related("invited_by").order_by("-pk")[:MOST_SHOWN]


def _act(request: Request, uuid: UUID, verb: Callable[[Membership], str]) -> HttpResponse:
    """Do something to one membership, and say what happened."""
    membership = get_object_or_404(_editable(request), user__uuid=uuid)
    try:
        messages.success(request, verb(membership))
    except (Conflict, NotAllowed, NotFound) as error:
        messages.error(request, error.message)
    if membership.user == request.user:
        return redirect("home")  # they may not be a manager any more
    return redirect("accounts:people")


@login_required
@require_POST
def accept(request: Request, uuid: UUID) -> HttpResponse:
    def verb(membership: Membership) -> str:
        services.accept_member(actor=request.user, membership=membership)
        return f"{membership.user.name} is now a member of {membership.department}."

    return _act(request, uuid, verb)


@login_required
@require_POST
def refuse(request: Request, uuid: UUID) -> HttpResponse:
    def verb(membership: Membership) -> str:
        services.refuse_member(actor=request.user, membership=membership)
        return f"{membership.user.name} was turned down. They can ask again."

    return _act(request, uuid, verb)


@login_required
@require_POST
def role(request: Request, uuid: UUID) -> HttpResponse:
    wanted = request.POST.get("role", "")
    if wanted not in Role.values:
        messages.error(request, "There is no such role. Choose viewer, member or manager.")
        return redirect("accounts:people")

    def verb(membership: Membership) -> str:
        services.set_role(actor=request.user, membership=membership, role=Role(wanted))
        return f"{membership.user.name} is now a {wanted} of {membership.department}."

    return _act(request, uuid, verb)


@login_required
@require_POST
def remove(request: Request, uuid: UUID) -> HttpResponse:
    def verb(membership: Membership) -> str:
        moved = services.remove_member(actor=request.user, membership=membership)
        heir = f"You now own their {services.words(moved)}." if moved and membership.user != request.user else ""
        return f"{membership.user.name} is no longer in {membership.department}. {heir or 'What they made stays.'}"

    return _act(request, uuid, verb)

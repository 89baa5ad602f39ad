"""What is done with many people at once: members of a department for its managers, everybody for administrators."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from accounts import services
from accounts.models import Role
from accounts.queries import everybody, may, members_editable_by
from accounts.services import words
from mindloom import wall
from mindloom.web.addresses import uuid_or_none
from mindloom.web.errors import MindloomError
from mindloom.web.http import render_page

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from accounts.middleware import Request
    from accounts.models import Membership, User

PAGE = 50
MOST_AT_ONCE = 200
NONE_MARKED = "Mark the people first."
ROLES = {f"role-{role.value}": role for role in Role}


@login_required
@require_POST
def people_many(request: Request) -> HttpResponse:
    """Accept, turn down, change or remove the marked ones. Removing is confirmed first."""
    department = request.department
    if department is None or not may(request.user, Role.MANAGER, department.pk):
        raise PermissionDenied
    action, actor = request.POST.get("action", ""), request.user
    found = members_editable_by(actor).in_departments([department.pk]).filter(user__uuid__in=_marked(request))
    chosen = list(found.order_by("user__name", "pk"))
    verbs: dict[str, tuple[str, Callable[[Membership], Any]]] = {
        "accept": ("let in", lambda one: services.accept_member(actor=actor, membership=one)),
        "refuse": ("turned down", lambda one: services.refuse_member(actor=actor, membership=one)),
        "remove": ("removed", lambda one: services.remove_member(actor=actor, membership=one)),
    }
    for name, role in ROLES.items():
        verbs[name] = (f"made a {role.value}", _role_setter(actor, role))
    if not chosen or action not in verbs:
        messages.warning(request, NONE_MARKED)
        return redirect("accounts:people")
    if action == "remove" and not request.POST.get("confirmed"):
        rows = [(one.user, words(services.owned_by(one.user, [department.pk]))) for one in chosen]
        note = f"With their next click they see nothing of {department} any more. What they own there becomes yours."
        return _asks(request, rows, "Remove", note, reverse("accounts:people"))
    _carry_out(request, chosen, *verbs[action], name=lambda one: one.user.name)
    return redirect("accounts:people")


def _role_setter(actor: User, role: Role) -> Callable[[Membership], Any]:
    return lambda one: services.set_role(actor=actor, membership=one, role=role)


@login_required
@require_safe
def everyone(request: Request) -> HttpResponse:
    """All people of the installation with where they belong, for administrators."""
    if not request.user.is_administrator:
        raise PermissionDenied
    wanted = request.GET.get("q", "").replace("\x00", "")[:100].strip()
    state = request.GET.get("state", "")
    found = everybody(request.user)
    if wanted:
        found = found.filter(Q(name__icontains=wanted) | Q(email__icontains=wanted))
    if state in STATES:
        found = found.filter(STATES[state][1])
    with wall.system("administrators see where everybody belongs"):
        page = Paginator(found, PAGE).get_page(request.GET.get("page"))
        context = {"page": page, "people": list(page.object_list), "wanted": wanted, "state": state}
        context["states"] = [("", "All"), *((name, label) for name, (label, _) in STATES.items())]
    return render_page(request, "accounts/everyone.html", context, partials={"everyone": "list"})


STATES = {
    "active": ("Who may sign in", Q(is_active=True)),
    "inactive": ("Deactivated", Q(is_active=False)),
    "administrators": ("Administrators", Q(is_superuser=True)),
    "unconfirmed": ("Address not confirmed", Q(email_confirmed_at=None, is_active=True)),
}


_OUT = (
    "They are signed out everywhere, their tokens and open pages end at once, and their schedules no longer start. "
    "Nothing is deleted, and you can let them in again."
)
_UP = (
    "They become administrators, who see and change everything in every department, and everybody's rights, yours too. "
    "It can be taken from them again."
)
_DOWN = "They are administrators no more: with their next click they may do what their departments let them, and nothing else."
CONFIRMED = {"deactivate": ("Deactivate", _OUT), "promote": ("Promote", _UP), "demote": ("Demote", _DOWN)}
"""What is asked about before it is done to everybody marked: the verb, and what it means."""


@login_required
@require_POST
def everyone_many(request: Request) -> HttpResponse:
    """Deactivate the marked ones or let them in again, make them administrators or none, mail them a link to set a password.

    What changes much is confirmed first.
    """
    if not request.user.is_administrator:
        raise PermissionDenied
    action, actor = request.POST.get("action", ""), request.user
    chosen = list(everybody(actor).filter(uuid__in=_marked(request)))
    verbs: dict[str, tuple[str, Callable[[User], Any]]] = {
        "deactivate": ("deactivated", lambda one: services.deactivate_person(actor=actor, person=one)),
        "reactivate": ("reactivated", lambda one: services.reactivate_person(actor=actor, person=one)),
        "promote": ("made an administrator", lambda one: services.promote_person(actor=actor, person=one)),
        "demote": ("made no administrator any more", lambda one: services.demote_person(actor=actor, person=one)),
        "password": ("sent a link", lambda one: services.start_password_reset(actor=actor, person=one)),
    }
    if not chosen or action not in verbs:
        messages.warning(request, NONE_MARKED)
        return redirect("accounts:everyone")
    if action in CONFIRMED and not request.POST.get("confirmed"):
        return _asks(request, [(one, one.email) for one in chosen], *CONFIRMED[action], reverse("accounts:everyone"))
    _carry_out(request, chosen, *verbs[action], name=lambda one: one.name)
    return redirect("accounts:everyone")


def _marked(request: Request) -> list[UUID]:
    given = request.POST.getlist("people")[:MOST_AT_ONCE]
    return [uuid for text in given if (uuid := uuid_or_none(text))]


def _asks(request: Request, rows: list[tuple[User, str]], verb: str, note: str, back: str) -> HttpResponse:
    """The page that says who is concerned, before it is done."""
    context = {"rows": rows, "verb": verb, "note": note, "back": back, "action": request.POST["action"]}
    return render_page(request, "accounts/many_confirm.html", context, status=422)


def _carry_out(
    request: Request, chosen: Iterable[Any], done: str, verb: Callable[[Any], Any], name: Callable[[Any], str]
) -> None:
    """Do it to each, and say to how many, and for whom it could not be done."""
    names = []
    for one in chosen:
        try:
            verb(one)
        except MindloomError as error:
            messages.error(request, f"{name(one)}: {error.message}")
        else:
            names.append(name(one))
    if names:
        who = names[0] if len(names) == 1 else f"{len(names)} people"
        messages.success(request, f"{who} {'was' if len(names) == 1 else 'were'} {done}.")

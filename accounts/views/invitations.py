"""Inviting people to a department, one by one or from a table; and the page behind the mailed link."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.contrib.auth import authenticate
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from accounts import services
from accounts.forms.inviting import ImportForm, InviteForm, JoinInvitedForm, Table
from accounts.models import Role, User
from accounts.queries import invitations_editable_by, may
from accounts.views.entering import enter
from accounts.views.guards import GET_OR_POST, bounded
from mindloom.web.errors import Conflict, Invalid, NotAllowed
from mindloom.web.http import render_page

if TYPE_CHECKING:
    from accounts.middleware import Request
    from accounts.models import Department, Invitation

PREVIEW = 50


def _managed(request: Request) -> Department:
    """The current department; 403 for those who do not manage it."""
    department = request.department
    if department is None or not may(request.user, Role.MANAGER, department.pk):
        raise PermissionDenied
    return department


@login_required
@require_http_methods(GET_OR_POST)
def invite(request: Request) -> HttpResponse:
    """Invite by addresses."""
    department = _managed(request)
    form = InviteForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            done = services.invite(actor=request.user, department=department, people=form.wanted())
        except Invalid as error:
            form.refuse(error)
        else:
            if not done.passed:
                _tell(request, done)
                return redirect("accounts:people")
            if done.sent:
                _tell(request, done)
            form = InviteForm({"people": "\n".join(done.passed), "role": form.cleaned_data["role"]})
            for address, why in done.passed.items():
                form.add_error("people", f"{address}: {why}")
    status = 422 if request.method == "POST" else 200
    return render_page(request, "accounts/invite.html", {"form": form, "department": department}, status=status)


def _tell(request: Request, done: services.Invited) -> None:
    count = len(done.sent)
    who = done.sent[0].email if count == 1 else f"{count} people"
    messages.success(request, f"Invited {who}. The link in the mail works for a week.")


@login_required
@require_http_methods(GET_OR_POST)
def import_people(request: Request) -> HttpResponse:
    """Invite those whom a table names, after a look at what it says."""
    department = _managed(request)
    form = ImportForm(request.POST or None, request.FILES or None)
    context: dict[str, Any] = {"form": form, "department": department}
    if request.method == "POST" and form.is_valid():
        text = form.cleaned_data["text"]
        table = Table(text)
        if request.POST.get("action") == "invite" and table.people:
            done = services.invite(actor=request.user, department=department, people=table.people)
            if done.sent:
                _tell(request, done)
            for address, why in list(done.passed.items())[:10]:
                messages.warning(request, f"Passed over: {address}: {why}")
            if len(done.passed) > 10:
                messages.warning(request, f"… and {len(done.passed) - 10} more.")
            return redirect("accounts:people")
        context |= {"table": table, "text": text, "shown": table.people[:PREVIEW]}
        return render_page(request, "accounts/import.html", context)
    status = 422 if request.method == "POST" else 200
    return render_page(request, "accounts/import.html", context, status=status)


@login_required
@require_POST
def withdraw(request: Request, uuid: UUID) -> HttpResponse:
    """Take an invitation back."""
    department = _managed(request)
    found = get_object_or_404(invitations_editable_by(request.user).in_departments([department.pk]), uuid=uuid)
    services.withdraw_invitation(actor=request.user, invitation=found)
    messages.success(request, f"The invitation of {found.email} is taken back. Its link no longer works.")
    return redirect("accounts:people")


@login_required
@require_POST
def invite_again(request: Request, uuid: UUID) -> HttpResponse:
    """Mail a new link."""
    department = _managed(request)
    found = get_object_or_404(invitations_editable_by(request.user).in_departments([department.pk]), uuid=uuid)
    wanted = services.Wanted(found.email, found.name, Role(found.role))
    _tell(request, services.invite(actor=request.user, department=department, people=[wanted]))
    return redirect("accounts:people")


@sensitive_post_parameters("password")
@never_cache
@require_http_methods(GET_OR_POST)
@bounded
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Accept: with the account that the address has, or with a new one."""
    found = services.read_invitation(token)
    if found is None:
        return render_page(request, "accounts/link_dead.html", {"what": "invitation"}, status=410)
    known = User.objects.by_address(found.email)
    if isinstance(request.user, User):
        return _accept(request, token, found)
    if known is not None:
        here = reverse("accounts:invitation", args=[token])
        return redirect(f"{reverse('accounts:sign_in')}?{urlencode({'next': here})}")
    form = JoinInvitedForm(request.POST or None, initial={"name": found.name})
    if request.method == "POST" and form.is_valid():
        try:
            services.sign_up_invited(token=token, **form.cleaned_data)
        except (Invalid, Conflict) as error:
            form.refuse(error)
        else:
            user = authenticate(request, email=found.email, password=form.cleaned_data["password"])
            messages.success(request, f"Welcome to {found.department}.")
            return enter(request, user) if isinstance(user, User) else redirect("accounts:sign_in")
    context = {"form": form, "invitation": found}
    return render_page(request, "accounts/invitation.html", context, status=422 if request.method == "POST" else 200)


def _accept(request: HttpRequest, token: str, found: Invitation) -> HttpResponse:
    """Somebody who is signed in follows the link."""
    user: User = request.user  # type: ignore[assignment]
    context = {"invitation": found, "other": user.email.lower() != found.email.lower()}
    if request.method != "POST" or context["other"]:
        status = 422 if request.method == "POST" else 200
        return render_page(request, "accounts/invitation.html", context, status=status)
    try:
        membership = services.accept_invitation(actor=user, token=token)
    except (Conflict, NotAllowed) as error:
        messages.error(request, error.message)
    else:
        request.session["department"] = membership.department_id
        messages.success(request, f"Welcome to {membership.department}.")
    return redirect("home")

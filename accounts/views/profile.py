"""A person's own page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.shortcuts import redirect
from django.urls import NoReverseMatch, reverse
from django.views.decorators.http import require_http_methods, require_POST

from accounts import services
from accounts.forms import JoinForm, ProfileForm
from accounts.queries import memberships_of
from accounts.views.guards import GET_OR_POST
from mindloom.web.errors import Conflict, Invalid
from mindloom.web.http import render_page

if TYPE_CHECKING:
    from django.http import HttpResponse

    from accounts.middleware import Request


@login_required
@require_http_methods(GET_OR_POST)
def profile(request: Request) -> HttpResponse:
    user = request.user
    shown = ("name", "theme", "time_zone", "density", "has_shortcuts")
    known = {field: getattr(user, field) for field in shown}
    form = ProfileForm(request.POST or None, initial=known)
    if request.method == "POST" and form.is_valid():
        try:
            services.update_profile(actor=user, **form.cleaned_data)
        except Invalid as error:
            form.refuse(error)
        else:
            messages.success(request, "Your profile is saved.")
            return redirect("accounts:profile")
    user.refresh_from_db(fields=list(known))
    status = 422 if request.method == "POST" else 200
    return render_page(request, "accounts/profile.html", _context(request, form), status=status)


def _context(request: Request, form: ProfileForm, join: JoinForm | None = None) -> dict[str, Any]:
    memberships = memberships_of(request.user)
    join = join or JoinForm(without=[one.department_id for one in memberships])
    return {
        "form": form,
        "memberships": memberships,
        "join": join,
        "memories_url": _memories(),
        "can_join": join.fields["department"].queryset.exists(),  # type: ignore[attr-defined]
    }


def _memories() -> str | None:
    """The page of a higher app, which may not be installed."""
    try:
        return reverse("runs:memories")
    except NoReverseMatch:
        return None


@login_required
@require_POST
def join_department(request: Request) -> HttpResponse:
    join = JoinForm(request.POST, without=[])
    if not join.is_valid():
        messages.error(request, "There is no such department any more. Choose another one.")
        return redirect("accounts:profile")
    try:
        membership = services.ask_to_join(actor=request.user, department=join.cleaned_data["department"])
    except (Conflict, Invalid) as error:
        messages.error(request, error.message)
    else:
        name = membership.department.name
        sentence = f"Welcome to {name}." if membership.is_active else f"{name}'s managers see that you want to join."
        messages.success(request, sentence)
    return redirect("accounts:profile")


@login_required
@require_POST
def send_confirmation(request: Request) -> HttpResponse:
    try:
        services.request_confirmation(actor=request.user)
    except Conflict as error:
        messages.info(request, error.message)
    else:
        messages.success(request, f"A link is on its way to {request.user.email}.")
    return redirect("accounts:profile")

"""Signing up, in and out."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import authenticate, login, logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import services
from accounts.backends import attempted_address, attempted_from
from accounts.forms import ConfirmForm, SetupForm, SignInForm, SignUpForm
from accounts.models import User
from accounts.providers import is_set_up
from accounts.queries import lock_seconds
from accounts.views.entering import enter, site_of
from accounts.views.guards import GET_OR_POST, bounded, for_strangers
from features.queries import check_on, is_on
from mindloom.web.api import plain_problem
from mindloom.web.errors import Conflict, Invalid
from mindloom.web.http import render_page

WRONG = "This address and password do not belong together. Check both, or reset your password."


@sensitive_post_parameters("password")
@never_cache
@require_http_methods(GET_OR_POST)
@for_strangers
def sign_in(request: HttpRequest) -> HttpResponse:
    form = SignInForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        user = authenticate(request, **form.cleaned_data)
        if isinstance(user, User):
            return enter(request, user)
        form.add_error(None, WRONG)
    context = {
        "form": form,
        "next": request.POST.get("next") or request.GET.get("next") or "",
        "may_sign_up": is_on("sign_up"),
        "site": site_of(request),
        "provider": is_set_up() and settings.OIDC_NAME,
    }
    return render_page(request, "accounts/sign_in.html", context, status=422 if request.method == "POST" else 200)


def locked_out(
    request: HttpRequest, original: HttpResponse | None = None, credentials: dict[str, Any] | None = None
) -> HttpResponse:
    """The answer to a sign-in during the pause after too many wrong ones: 429, as a page or as a problem document."""
    seconds = lock_seconds(attempted_address(request, credentials), attempted_from(request))
    minutes = max(1, -(-seconds // 60))
    again = f"in {minutes} minutes" if minutes > 1 else "in a minute"
    if request.path.startswith("/api/"):
        detail = f"There were too many wrong sign-ins for this address. Try again {again}."
        return plain_problem(429, "locked_out", detail, retry_after=seconds)
    response = render(request, "accounts/locked_out.html", {"again": again}, status=429)
    response["Retry-After"] = str(seconds)
    return response


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    logout(request)
    messages.success(request, "You are signed out.")
    return redirect("accounts:sign_in")


@sensitive_post_parameters("password")
@never_cache
@require_http_methods(GET_OR_POST)
@for_strangers
@bounded
def sign_up(request: HttpRequest) -> HttpResponse:
    check_on("sign_up")
    form = SignUpForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            services.sign_up(**form.cleaned_data)
        except Invalid as error:
            form.refuse(error)
        else:
            return redirect("accounts:sign_up_sent")
    context = {"form": form, "is_open": form.fields["department"].queryset.exists()}  # type: ignore[attr-defined]
    return render_page(request, "accounts/sign_up.html", context, status=422 if request.method == "POST" else 200)


@require_safe
def sign_up_sent(request: HttpRequest) -> HttpResponse:
    return render_page(request, "accounts/sign_up_sent.html")


@sensitive_post_parameters("password")
@never_cache
@require_http_methods(GET_OR_POST)
def confirm_email(request: HttpRequest, token: str) -> HttpResponse:
    person = services.read_confirmation(token)
    if person is None:
        return render_page(request, "accounts/link_dead.html", {"what": "confirm"}, status=410)
    signed_in = request.user == person
    form = ConfirmForm(request.POST or None)
    if request.method == "POST" and (signed_in or form.is_valid()):
        # The mailbox alone is not enough: whoever signed up with somebody else's address waits for just that click.
        user = person if signed_in else authenticate(request, email=person.email, **form.cleaned_data)
        if isinstance(user, User):
            if not signed_in and user.second_factor_at is not None:
                return enter(request, user, request.path)
            if not signed_in:
                login(request, user)
            opened = services.confirm_email(actor=user, token=token)
            names = " and ".join(one.department.name for one in opened)
            messages.success(request, f"Your address is confirmed. {f'Welcome to {names}.' if names else ''}".strip())
            return redirect("home")
        form.add_error("password", "This is not the password of this account.")
    context = {"form": form, "person": person, "signed_in": signed_in}
    return render_page(request, "accounts/confirm_email.html", context, status=422 if request.method == "POST" else 200)


@sensitive_post_parameters("password")
@never_cache
@require_http_methods(GET_OR_POST)
def setup(request: HttpRequest, token: str) -> HttpResponse:
    if services.read_setup_link(token) is None:
        return render_page(request, "accounts/link_dead.html", {"what": "setup"}, status=410)
    form = SetupForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            user = services.create_first_administrator(token=token, **form.cleaned_data)
        except (Invalid, Conflict) as error:
            form.refuse(error)
        else:
            login(request, user, backend="accounts.backends.EmailBackend")
            messages.success(request, "You are the administrator. Make the first department to begin.")
            return redirect("accounts:departments")
    return render_page(request, "accounts/setup.html", {"form": form}, status=422 if request.method == "POST" else 200)

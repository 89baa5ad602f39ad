"""Changing and resetting passwords."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.decorators import login_required
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from accounts import services
from accounts.forms import ForgotForm, NewPasswordForm, PasswordChangeForm
from accounts.services.passwords import read_reset_link
from accounts.views.guards import GET_OR_POST, bounded
from mindloom.web.errors import Invalid
from mindloom.web.http import render_page

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from accounts.middleware import Request


@require_http_methods(GET_OR_POST)
@bounded
def password_forgot(request: HttpRequest) -> HttpResponse:
    form = ForgotForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        services.request_password_reset(email=form.cleaned_data["email"])
        return redirect("accounts:password_forgot_sent")
    status = 422 if request.method == "POST" else 200
    return render_page(request, "accounts/password_forgot.html", {"form": form}, status=status)


@require_safe
def password_forgot_sent(request: HttpRequest) -> HttpResponse:
    return render_page(request, "accounts/password_forgot_sent.html")


@sensitive_post_parameters("password")
@never_cache
@require_http_methods(GET_OR_POST)
def password_reset(request: HttpRequest, uidb64: str, token: str) -> HttpResponse:
    person = read_reset_link(uidb64, token)
    if person is None:
        return render_page(request, "accounts/link_dead.html", {"what": "reset"}, status=410)
    form = NewPasswordForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            services.reset_password(uid=uidb64, token=token, **form.cleaned_data)
        except Invalid as error:
            form.refuse(error)
        else:
            messages.success(request, "Your new password is set. Sign in with it.")
            return redirect("accounts:sign_in")
    context = {"form": form, "person": person}
    status = 422 if request.method == "POST" else 200
    return render_page(request, "accounts/password_reset.html", context, status=status)


@sensitive_post_parameters("current", "new")
@never_cache
@login_required
@require_http_methods(GET_OR_POST)
def password_change(request: Request) -> HttpResponse:
    form = PasswordChangeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            user = services.change_password(actor=request.user, **form.cleaned_data)
        except Invalid as error:
            form.refuse(error)
        else:
            update_session_auth_hash(request, user)
            messages.success(request, "Your password is changed. Everywhere else you are signed out.")
            return redirect("accounts:profile")
    status = 422 if request.method == "POST" else 200
    return render_page(request, "accounts/password_change.html", {"form": form}, status=status)

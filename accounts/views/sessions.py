"""What is open in one's name: browsers, sign-ins at the API, tokens of one's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import services
from accounts.forms import TokenForm
from accounts.queries import browser_sessions_of, personal_tokens_of, refresh_tokens_of
from accounts.views.guards import GET_OR_POST
from mindloom.web.errors import Conflict, Invalid
from mindloom.web.http import render_page

if TYPE_CHECKING:
    from uuid import UUID

    from django.http import HttpResponse

    from accounts.middleware import Request


@login_required
@require_safe
def sessions(request: Request) -> HttpResponse:
    context = {
        "sessions": browser_sessions_of(request.user),
        "current": request.session.session_key,
        "refresh_tokens": refresh_tokens_of(request.user)[:100],
    }
    return render_page(request, "accounts/sessions.html", context)


@login_required
@require_POST
def session_end(request: Request, uuid: UUID) -> HttpResponse:
    mine = browser_sessions_of(request.user).filter(session_key=request.session.session_key, uuid=uuid).exists()
    if services.end_session(actor=request.user, uuid=uuid):
        messages.success(request, "That session is ended.")
    else:
        messages.info(request, "That session was over already.")
    if mine:
        logout(request)
        return redirect("accounts:sign_in")
    return redirect("accounts:sessions")


@login_required
@require_POST
def sessions_end_others(request: Request) -> HttpResponse:
    count = services.end_other_sessions(actor=request.user, keep=request.session.session_key)
    messages.success(request, f"Sessions ended elsewhere: {count}.")
    return redirect("accounts:sessions")


@login_required
@require_POST
def sessions_end_all(request: Request) -> HttpResponse:
    services.end_everything(actor=request.user)
    logout(request)
    messages.success(request, "You are signed out everywhere.")
    return redirect("accounts:sign_in")


@login_required
@require_POST
def refresh_token_end(request: Request, number: int) -> HttpResponse:
    if services.end_token(actor=request.user, token_id=number):
        messages.success(request, "That sign-in gets no new tokens. Its last one runs out within minutes.")
    else:
        messages.info(request, "That sign-in was over already.")
    return redirect("accounts:sessions")


@never_cache
@login_required
@require_http_methods(GET_OR_POST)
def tokens(request: Request) -> HttpResponse:
    form, made, text = TokenForm(request.POST or None), None, ""
    if request.method == "POST" and form.is_valid():
        try:
            made, text = services.make_token(actor=request.user, **form.cleaned_data)
        except (Invalid, Conflict) as error:
            form.refuse(error)
        else:
            form = TokenForm()
    context = {"form": form, "made": made, "text": text, "tokens": personal_tokens_of(request.user)}
    status = 422 if request.method == "POST" and made is None else 200
    return render_page(request, "accounts/tokens.html", context, status=status)


@login_required
@require_POST
def token_revoke(request: Request, uuid: UUID) -> HttpResponse:
    if services.revoke_token(actor=request.user, uuid=uuid):
        messages.success(request, "The token is revoked. What still uses it is refused from now on.")
    else:
        messages.info(request, "There is no such token any more.")
    return redirect("accounts:tokens")

"""What stands between the right password and a session: the second step."""

from __future__ import annotations

import json
import time
from datetime import datetime
from typing import Any

from django.contrib.auth import authenticate, login
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from accounts import services
from accounts.backends.sessions import DOOR
from accounts.forms import CodeForm
from accounts.models import User
from accounts.services.passkeys import LONGEST_ANSWER, Site
from accounts.views.guards import GET_OR_POST, bounded_always, destination, for_strangers
from mindloom.web.errors import Invalid
from mindloom.web.http import render_page

PENDING = "second_step"
PASSKEY = "passkey"
PENDING_SECONDS = 600
BACKEND = "accounts.backends.EmailBackend"
WRONG_CODE = "This code does not fit, or was used before. Codes change every half minute."
LATE = "This took too long. Begin again with your password."


def enter(request: HttpRequest, user: User, wanted: str | None = None, *, trusted: bool = False) -> HttpResponse:
    """Let a person in who gave the right password, or lead them to the second step when they have one.

    `trusted`: whoever vouches for the person has asked for a second factor already.
    """
    to = destination(request, wanted)
    if user.second_factor_at is None or trusted:
        request.session.pop(PENDING, None)
        login(request, user, backend=getattr(user, "backend", None) or BACKEND)
        return redirect(to)
    # Another key than before: whoever planted this browser's session does not stand at the second door with the person.
    request.session.cycle_key()
    request.session[PENDING] = {
        "user": str(user.uuid),
        "stamp": services.password_stamp(user),
        "at": int(time.time()),
        "next": to,
    }
    return redirect("accounts:sign_in_code")


def _waiting(request: HttpRequest) -> tuple[User, dict[str, Any]] | None:
    """Who gave the right password in this browser a moment ago."""
    kept = request.session.get(PENDING)
    if not isinstance(kept, dict) or time.time() - kept["at"] > PENDING_SECONDS:
        return None
    user = User.objects.filter(uuid=kept["user"], is_active=True).first()
    if user is None or not constant_time_compare(kept["stamp"], services.password_stamp(user)):
        return None
    return user, kept


@sensitive_post_parameters("code")
@never_cache
@require_http_methods(GET_OR_POST)
@for_strangers
def sign_in_code(request: HttpRequest) -> HttpResponse:
    found = _waiting(request)
    if found is None:
        return redirect("accounts:sign_in")
    person, kept = found
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        user = authenticate(request, email=person.email, code=form.cleaned_data["code"])
        if isinstance(user, User):
            return enter(request, user, kept["next"], trusted=True)
        form.add_error("code", WRONG_CODE)
    context = {"form": form, "has_passkeys": person.passkeys.exists(), "site": site_of(request)}  # type: ignore[attr-defined]
    return render_page(request, "accounts/sign_in_code.html", context, status=422 if request.method == "POST" else 200)


def site_of(request: HttpRequest) -> Site:
    """Where the browser says it is; the host is one that this installation allows."""
    return Site(f"{request.scheme}://{request.get_host()}")


@require_POST
@bounded_always
def passkey_options(request: HttpRequest) -> HttpResponse:
    """What a browser is told to prove a passkey with."""
    options, request.session[PASSKEY] = services.ask_for_passkey(site_of(request))
    return JsonResponse(json.loads(json.dumps(options)))


@never_cache
@require_POST
@for_strangers
@bounded_always
def sign_in_passkey(request: HttpRequest) -> HttpResponse:
    """A passkey is something one has and something one knows or is: both factors in one."""
    state = request.session.pop(PASSKEY, None)
    waiting = request.session.get(PENDING) or {}
    try:
        answer = request.POST.get("answer", "")[: LONGEST_ANSWER + 1]
        user = services.person_of_passkey(site=site_of(request), state=state, answer=answer)
    except Invalid as error:
        context = {"message": error.message}
        return render_page(request, "accounts/passkey_refused.html", context, status=422)
    return enter(request, user, waiting.get("next"), trusted=True)


def proven(request: HttpRequest, password: str | None) -> bool:
    """Whether it is the signed-in person who acts: by their password, whose wrong tries count as wrong sign-ins do.

    People without one come by the organisation's sign-in; that they did so a moment ago counts.
    """
    user: User = request.user  # type: ignore[assignment]
    if not user.has_usable_password():
        door = request.session.get(DOOR) or {}
        at = datetime.fromisoformat(door["at"]) if "at" in door else None
        return at is not None and (timezone.now() - at).total_seconds() < PENDING_SECONDS
    found = authenticate(request, email=user.email, password=password or "")
    return isinstance(found, User) and found.pk == user.pk

"""Signing in by the organisation's own provider."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from authlib.common.errors import AuthlibBaseError
from django.conf import settings
from django.http import Http404
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from joserfc.errors import JoseError

from accounts.providers import is_set_up, provider, wanted_claims
from accounts.services.mail import link
from accounts.services.single_sign_on import person_of_provider
from accounts.views.entering import enter
from accounts.views.guards import bounded_always, destination, for_strangers
from mindloom.web.errors import MindloomError
from mindloom.web.http import render_page

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

logger = logging.getLogger(__name__)

NEXT = "single_sign_on_next"
_TROUBLE = (AuthlibBaseError, JoseError, OSError, ValueError, KeyError, TypeError, RuntimeError)
"""What the library raises for a wrong state, code, signature or claim, and for a provider that does not answer as it should."""


@never_cache
@require_safe
@for_strangers
@bounded_always
def single_sign_on(request: HttpRequest) -> HttpResponse:
    if not is_set_up():
        raise Http404
    try:
        answer: HttpResponse = provider().authorize_redirect(request, link(reverse("accounts:single_sign_on_back")))
    except _TROUBLE as error:
        return _trouble(request, error)
    request.session[NEXT] = destination(request)
    return answer


@never_cache
@require_safe
@for_strangers
@bounded_always
def single_sign_on_back(request: HttpRequest) -> HttpResponse:
    if not is_set_up():
        raise Http404
    try:
        claims = _claims(request)
    except _TROUBLE as error:
        return _trouble(request, error)
    try:
        person = person_of_provider(claims=claims)
    except MindloomError as error:
        context = {"message": error.message, "provider": settings.OIDC_NAME}
        return render_page(request, "accounts/single_sign_on_trouble.html", context, status=error.status)
    wanted = request.session.pop(NEXT, None)
    return enter(request, person, wanted, trusted=settings.OIDC_TRUST_SECOND_FACTOR)


def _claims(request: HttpRequest) -> dict[str, Any]:
    """What the provider says, verified; what it did not put into its statement is asked for."""
    client = provider()
    token = client.authorize_access_token(request, claims_options=wanted_claims())
    said = dict(token["userinfo"])
    if "email" not in said and client.load_server_metadata().get("userinfo_endpoint"):
        more = dict(client.userinfo(token=token))
        if more.get("sub") != said["sub"]:
            raise ValueError("the provider answers about somebody else")
        said = {name: more.get(name) for name in ("email", "email_verified", "name")} | said
    return said


def _trouble(request: HttpRequest, error: Exception) -> HttpResponse:
    logger.warning("Single sign-on failed: %s %.300r", type(error).__name__, str(error))
    message = "It did not answer as it should, or this took too long. Try again, and tell an administrator if it stays."
    context = {"message": message, "provider": settings.OIDC_NAME}
    return render_page(request, "accounts/single_sign_on_trouble.html", context, status=400)

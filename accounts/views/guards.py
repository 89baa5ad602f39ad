"""Who may send the forms of the doors, how often, and where they lead."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, resolve_url
from django.utils.http import url_has_allowed_host_and_scheme

from mindloom.web.api import StrangerThrottle
from mindloom.web.errors import MindloomError, error_page

if TYPE_CHECKING:
    from collections.abc import Callable

GET_OR_POST = ("GET", "HEAD", "POST")


class DoorThrottle(StrangerThrottle):
    """Of doors that nothing is guessed at: bounded against floods, wide enough for an office behind one address."""

    scope = "door"
    rate = "300/min"


class TooManyTries(MindloomError):
    """The form was sent too often from your network. Nothing was done; try again in a minute."""

    code = "too_many_requests"
    status = 429


def for_strangers(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """A page that somebody who is signed in does not need: they go on to where they were going."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.user.is_authenticated:
            return redirect(destination(request))
        return view(request, *args, **kwargs)

    return wrapped


def bounded(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """A form that anybody can send: as often from one address as the same request to the API."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.method == "POST" and not StrangerThrottle().allow_request(request, None):
            return error_page(request, TooManyTries())
        return view(request, *args, **kwargs)

    return wrapped


def bounded_always(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """A door whose mere visit costs something, whatever the method."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not DoorThrottle().allow_request(request, None):
            return error_page(request, TooManyTries())
        return view(request, *args, **kwargs)

    return wrapped


def destination(request: HttpRequest, wanted: str | None = None) -> str:
    """Where to go after signing in: a page of this installation, else the start page."""
    wanted = wanted or request.POST.get("next") or request.GET.get("next") or ""
    allowed = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    # A path with control characters is nobody's bookmark; browsers strip some of them and read another address. What is
    # neither a path nor a whole address, Django would take for the name of a route.
    is_address = wanted.startswith(("/", "http://", "https://")) and wanted.isprintable()
    return wanted if allowed and is_address else resolve_url(settings.LOGIN_REDIRECT_URL)

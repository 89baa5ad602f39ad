"""What views of this app share."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.urls import NoReverseMatch, reverse

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpResponse

    from accounts.middleware import Request


def administrators_only(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Send strangers to the sign-in page, and refuse everybody who is no administrator."""

    @wraps(view)
    def wrapped(request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.is_administrator:
            raise PermissionDenied("Only administrators look after models, providers and MCP servers.")
        return view(request, *args, **kwargs)

    return login_required(wrapped)


def reverse_or_none(name: str, *args: Any) -> str | None:
    """The address of a page of a higher app, which may not be installed."""
    try:
        return reverse(name, args=args)
    except NoReverseMatch:
        return None


def plain(text: str) -> str:
    """What somebody typed into an address, without characters that the database cannot take."""
    return text.replace("\x00", "").strip()[:100]

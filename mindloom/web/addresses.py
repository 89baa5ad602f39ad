"""What addresses of lists say, and addresses of the same list with other filters."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

if TYPE_CHECKING:
    from django.http import HttpRequest

_PLACES = ("before", "top", "page", "runs", "filters")
"""Where one stands in a list and what is open on its page; with other filters it begins anew."""


def uuid_or_none(text: str) -> UUID | None:
    """The text as a uuid; None when it is none."""
    try:
        return UUID(text)
    except ValueError:
        return None


def key_in(request: HttpRequest, name: str) -> tuple[int | None, list[str]]:
    """A row's key in the address, at which a page begins or the one before ended, and what is wrong with it."""
    text = request.GET.get(name, "")
    if not text:
        return None, []
    if text.isascii() and text.isdigit() and len(text) < 19:
        return int(text), []
    return None, ["The address says a page that does not exist."]


def list_address(request: HttpRequest, **changes: str) -> str:
    """The address of this list with other filters, from its beginning; an empty value takes a filter away."""
    query = request.GET.copy()
    for name in _PLACES:
        query.pop(name, None)
    for name, value in changes.items():
        query[name] = value
    for name in [name for name, value in query.items() if not value]:
        del query[name]
    return f"?{query.urlencode()}"

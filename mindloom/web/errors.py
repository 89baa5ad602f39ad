"""The errors that services raise, in words for people, and the pages that say them."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import TYPE_CHECKING

from django.db import OperationalError
from django.http import HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from django.http import HttpRequest

logger = logging.getLogger(__name__)

AWAY = "The database does not answer or is at its limit. Nothing was lost; try again in a minute."


class MindloomError(Exception):
    """Something went wrong. Try again, and tell an administrator if it stays.

    The docstring of each class is its default message. `code` is stable and for programs, `fields` names the inputs at fault.
    """

    code = "error"
    status = 500

    def __init__(
        self, message: str | None = None, *, code: str | None = None, fields: Mapping[str, list[str]] | None = None
    ) -> None:
        self.message = message or (type(self).__doc__ or "").partition("\n")[0]
        self.code = code or type(self).code
        self.fields = dict(fields or {})
        super().__init__(self.message)


class Invalid(MindloomError):
    """Some values are not right. Correct the marked ones."""

    code = "invalid"
    status = 400


class NotAllowed(MindloomError):
    """You may not do this. Ask a manager of your department."""

    code = "not_allowed"
    status = 403


class NotFound(MindloomError):
    """There is no such thing, or not for you."""

    code = "not_found"
    status = 404


class Conflict(MindloomError):
    """Things stand differently now. Reload and look again."""

    code = "conflict"
    status = 409


class Unavailable(MindloomError):
    """A part of Mindloom does not answer. Try again in a minute."""

    code = "unavailable"
    status = 503


def error_pages(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: what services raise and a view did not answer becomes a page that says it, with the right status."""

    def middleware(request: HttpRequest) -> HttpResponse:
        return get_response(request)

    def process_exception(request: HttpRequest, error: Exception) -> HttpResponse | None:
        if isinstance(error, OperationalError):
            return database_away(request, error)
        return error_page(request, error) if isinstance(error, MindloomError) else None

    middleware.process_exception = process_exception  # type: ignore[attr-defined]
    return middleware


def error_page(request: HttpRequest, error: MindloomError) -> HttpResponse:
    """The page that says the error's sentence, with its status."""
    context = {"code": error.status, "title": HTTPStatus(error.status).phrase, "message": error.message}
    return render(request, "error.html", context, status=error.status)


def database_away(request: HttpRequest, error: OperationalError) -> HttpResponse:
    """The pool is exhausted, or the database does not answer: 503, by a page that asks the database for nothing."""
    # The path is what somebody typed; escaped it cannot begin a line of its own.
    logger.warning("The database did not serve %r: %s", request.path, error)
    context = {"code": 503, "title": HTTPStatus(503).phrase, "message": AWAY}
    return HttpResponse(render_to_string("error.html", context), status=503, headers={"Retry-After": "10"})


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The form was sent from a page that is too old, or from another site."""
    context = {
        "title": "This page was open for too long",
        "message": "Nothing was changed. Go back, reload the page and send it again.",
    }
    return render(request, "403.html", context, status=403)

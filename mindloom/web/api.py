"""API idioms: errors as application/problem+json, strict input, bounded lists, limits for strangers."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar

from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.core.exceptions import ValidationError as WrongValue
from django.core.signals import got_request_exception
from django.db import OperationalError
from django.db.models import Model
from django.http import Http404, HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from redis.exceptions import RedisError
from rest_framework import exceptions, serializers
from rest_framework.pagination import CursorPagination
from rest_framework.response import Response
from rest_framework.throttling import SimpleRateThrottle

from mindloom.web.errors import AWAY, Conflict, MindloomError
from mindloom.web.parsers import TooLarge

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.db.models import QuerySet
    from django_filters import FilterSet
    from rest_framework.request import Request
    from rest_framework.views import APIView

logger = logging.getLogger(__name__)

Row = TypeVar("Row", bound=Model)

PROBLEM_TYPE = "application/problem+json"
NUL = "This contains a NUL character, which cannot be kept. Remove it."
NOT_TEXT = "This contains half a character (a lone surrogate), which cannot be kept. Remove it."
NO_CURSOR = "This is no cursor of this list. Follow `next` and `previous` of its pages, or leave it out."
_CODES = {
    400: "invalid",
    401: "not_signed_in",
    403: "not_allowed",
    404: "not_found",
    405: "method_not_allowed",
    406: "not_acceptable",
    413: "too_large",
    415: "unsupported_media_type",
    429: "too_many_requests",
}
_WORDS = {
    400: "The request cannot be read: {}",
    404: "This does not exist, or not for you.",
    405: "This address does not take {method}.",
    406: "None of the formats in Accept can be given. Ask for application/json.",
    415: "The body must be JSON: send Content-Type: application/json.",
}


class TryAgain(Conflict):
    """Something is under way. Ask again in a moment."""

    def __init__(self, message: str | None = None, *, code: str | None = None, seconds: int = 1) -> None:
        super().__init__(message, code=code)
        self.wait = seconds


class Pages(CursorPagination):
    """Pages by cursor, newest first; `limit` from 1 to 200."""

    page_size = 50
    max_page_size = 200
    page_size_query_param = "limit"
    ordering = "-id"

    def paginate_queryset(self, queryset: Any, request: Request, view: APIView | None = None) -> Any:
        """The page that the cursor names. Raises `ValidationError` for a cursor that no page of this list has given out."""
        self._rows = queryset
        return super().paginate_queryset(queryset, request, view)

    def decode_cursor(self, request: Request) -> Any:
        """Where the page begins."""
        try:
            cursor = super().decode_cursor(request)
            position = str(cursor.position or "") if cursor is not None else ""
            if position:
                # Not asked of the database: this only tells whether it could be.
                self._rows.filter(**{f"{self.ordering[0].removeprefix('-')}__lt": position})
        except (exceptions.NotFound, WrongValue, ValueError, OverflowError):
            cursor, position = None, "\x00"
        if "\x00" in position:
            raise exceptions.ValidationError({self.cursor_query_param: [NO_CURSOR]})
        return cursor


def given_in(serializer: Any, request: Request) -> dict[str, Any]:
    """What the body of the request says, as `serializer` reads it. Raises `ValidationError` with the fields at fault."""
    given = serializer(data=request.data)
    given.is_valid(raise_exception=True)
    return dict(given.validated_data)


def sifted(filters: type[FilterSet], request: Request, found: QuerySet[Row]) -> QuerySet[Row]:
    """What the filters in the address leave of the rows. Raises `ValidationError` with the filters at fault."""
    chosen = filters(request.query_params, found)
    if not chosen.is_valid():
        raise exceptions.ValidationError(chosen.errors)
    left: QuerySet[Row] = chosen.qs
    return left


def listed(request: Request, found: QuerySet[Any], shown: Any) -> Response:
    """The page of the rows that is asked for, as the serializer shows each."""
    pages = Pages()
    page: Any = pages.paginate_queryset(found, request)
    return pages.get_paginated_response(shown(page, many=True, context={"request": request}).data)


class StrangerThrottle(SimpleRateThrottle):
    """Bounds how often one address may try to sign in, sign up or ask for mail. Without Redis there is no bound."""

    scope = "auth"

    def get_cache_key(self, request: Request | HttpRequest, view: APIView | None) -> str:  # type: ignore[override]
        """By the connection's address: a header that anybody can send does not count."""
        return self.cache_format % {"scope": self.scope, "ident": request.META.get("REMOTE_ADDR", "")}

    def allow_request(self, request: Request | HttpRequest, view: APIView | None) -> bool:  # type: ignore[override]
        """Whether this request, to the API or from a page's form, may go on."""
        try:
            return super().allow_request(request, view)  # type: ignore[arg-type]
        except RedisError:
            return True


class StrictSerializer(serializers.Serializer[Any]):
    """Refuses fields it does not know, and characters that the database cannot keep wherever they hide."""

    def to_internal_value(self, data: Any) -> Any:
        """Django REST framework's own checks after ours."""
        if isinstance(data, dict):
            found: dict[str, list[str]] = {name: ["There is no such field."] for name in set(data) - set(self.fields)}
            for name in set(data) & set(self.fields):
                if sentence := unkeepable(data[name]):
                    found[name] = [sentence]
            if found:
                raise serializers.ValidationError({_shown(name): found[name] for name in sorted(found)})
        return super().to_internal_value(data)


def _shown(name: str) -> str:
    return name.encode("utf-8", "replace").decode()[:100]


def unkeepable(value: Any) -> str:
    """Why some text inside `value` cannot be kept; empty when all can."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            waiting += [*one.keys(), *one.values()]
        elif isinstance(one, list):
            waiting += one
        elif isinstance(one, str):
            if "\x00" in one:
                return NUL
            if not one.isascii() and any("\ud800" <= letter <= "\udfff" for letter in one):
                return NOT_TEXT
    return ""


def problem(error: Exception, context: dict[str, Any]) -> Response:  # noqa: PLR0911 -- one line for each kind
    """Answer an exception as a problem document: `{type, title, status, detail, code, fields?}`."""
    if isinstance(error, MindloomError):
        response = _answer(error.status, error.code, error.message, error.fields)
        if (wait := getattr(error, "wait", None)) is not None:
            response["Retry-After"] = str(wait)
        return response
    if isinstance(error, exceptions.APIException):
        return _api_exception(error, context)
    if isinstance(error, Http404):
        return _answer(404, "not_found", _WORDS[404])
    if isinstance(error, PermissionDenied):
        return _answer(403, "not_allowed", str(error) or "You may not do this.")
    if isinstance(error, RequestDataTooBig):
        return _api_exception(TooLarge(), context)
    if isinstance(error, SuspiciousOperation):
        return _answer(400, "invalid", "The request cannot be read.")
    if isinstance(error, OperationalError):
        return _answer(503, "unavailable", AWAY)
    return _unexpected(error, context)


def _unexpected(error: Exception, context: dict[str, Any]) -> Response:
    """A mistake of ours: the log has the details, the caller learns that it was not theirs."""
    logger.error("An API request failed", exc_info=error)
    request = context.get("request")
    got_request_exception.send(sender=None, request=getattr(request, "_request", request))
    return _answer(
        500, "internal_error", "Mindloom made a mistake. It was noted; try again, and tell an administrator."
    )


def _api_exception(error: exceptions.APIException, context: dict[str, Any]) -> Response:
    code = _CODES.get(error.status_code, error.default_code)
    fields: dict[str, list[str]] = {}
    if isinstance(error, exceptions.ValidationError):
        fields = _flat(error.detail)
        detail = "; ".join(f"{name}: {' '.join(messages)}" for name, messages in fields.items())[:1000]
    elif isinstance(error.detail, dict):
        detail = str(error.detail.get("detail", error.default_detail))
        code = str(error.detail.get("code", code))
    else:
        request = context.get("request")
        words = _WORDS.get(error.status_code, "{}")
        detail = words.format(error.detail, method=getattr(request, "method", "this method"))
    response = _answer(error.status_code, code, detail, fields)
    if auth_header := getattr(error, "auth_header", None):
        response["WWW-Authenticate"] = auth_header
    if (wait := getattr(error, "wait", None)) is not None:
        response["Retry-After"] = str(int(wait) + 1)
    return response


def _flat(detail: Any, prefix: str = "") -> dict[str, list[str]]:
    if isinstance(detail, dict):
        found: dict[str, list[str]] = {}
        for key, value in detail.items():
            found |= _flat(value, f"{prefix}.{key}" if prefix else str(key))
        return found
    if isinstance(detail, list) and any(isinstance(item, dict | list) for item in detail):
        found = {}
        for place, value in enumerate(detail):
            found |= _flat(value, f"{prefix}[{place}]")
        return found
    return {prefix or "body": [str(item) for item in detail] if isinstance(detail, list) else [str(detail)]}


def problem_body(status: int, code: str, detail: str, fields: Mapping[str, list[str]] | None = None) -> dict[str, Any]:
    """A problem document."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
    }
    return body | ({"fields": dict(fields)} if fields else {})


def _answer(status: int, code: str, detail: str, fields: Mapping[str, list[str]] | None = None) -> Response:
    return Response(problem_body(status, code, detail, fields), status=status, content_type=PROBLEM_TYPE)


def plain_problem(status: int, code: str, detail: str, *, retry_after: int | None = None) -> JsonResponse:
    """The same outside of Django REST framework's views."""
    headers = {"Retry-After": str(retry_after)} if retry_after is not None else None
    return JsonResponse(problem_body(status, code, detail), status=status, content_type=PROBLEM_TYPE, headers=headers)


@csrf_exempt
def api_not_found(request: HttpRequest) -> JsonResponse:
    """The last route below /api/: there is nothing at this address, whatever the method."""
    return plain_problem(404, "not_found", "There is no such address in the API. See /api/docs/.")

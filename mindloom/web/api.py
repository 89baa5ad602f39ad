"""API idioms: errors as application/problem+json, strict input, bounded lists."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import OperationalError
from django.http import Http404
from rest_framework import exceptions, serializers
from rest_framework.pagination import CursorPagination
from rest_framework.response import Response
from rest_framework.views import set_rollback

from mindloom.web.errors import MindloomError

PROBLEM_TYPE = "application/problem+json"
_CODES = {
    400: "invalid",
    401: "not_signed_in",
    403: "not_allowed",
    404: "not_found",
    405: "method_not_allowed",
    406: "not_acceptable",
    415: "unsupported_media_type",
    429: "too_many_requests",
}


class Pages(CursorPagination):
    """Pages by cursor, newest first; `limit` from 1 to 200."""

    page_size = 50
    max_page_size = 200
    page_size_query_param = "limit"
    ordering = "-id"


class StrictSerializer(serializers.Serializer[Any]):
    """Refuses fields it does not know, and NUL characters wherever they hide."""

    def to_internal_value(self, data: Any) -> Any:
        """Django REST framework's own checks after ours."""
        if isinstance(data, dict):
            unknown = sorted(set(data) - set(self.fields))
            if unknown:
                raise serializers.ValidationError({name: ["There is no such field."] for name in unknown}, code="unknown_field")
        return super().to_internal_value(data)


def problem(error: Exception, context: dict[str, Any]) -> Response | None:
    """Answer an exception as a problem document: `{type, title, status, detail, code, fields?}`."""
    if isinstance(error, MindloomError):
        set_rollback()
        return _answer(error.status, error.code, error.message, error.fields)
    if isinstance(error, Http404):
        return _answer(404, "not_found", "This does not exist, or not for you.")
    if isinstance(error, PermissionDenied):
        return _answer(403, "not_allowed", str(error) or "You may not do this.")
    if isinstance(error, OperationalError):
        set_rollback()
        return _answer(503, "unavailable", "The database does not answer or is at its limit. Try again in a minute.")
    if isinstance(error, exceptions.APIException):
        set_rollback()
        return _api_exception(error)
    return None


def _api_exception(error: exceptions.APIException) -> Response:
    code = _CODES.get(error.status_code, error.default_code)
    fields: dict[str, list[str]] = {}
    detail = "Some values are not right."
    if isinstance(error, exceptions.ValidationError):
        fields = _flat(error.detail)
        detail = "; ".join(f"{name}: {' '.join(messages)}" for name, messages in fields.items())[:1000]
    elif isinstance(error.detail, dict):
        detail = str(error.detail.get("detail", error.default_detail))
        code = str(error.detail.get("code", code))
    else:
        detail = str(error.detail)
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


def _answer(code_number: int, code: str, detail: str, fields: dict[str, list[str]] | None = None) -> Response:
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(code_number).phrase,
        "status": code_number,
        "detail": detail,
        "code": code,
    }
    if fields:
        body["fields"] = fields
    return Response(body, status=code_number, content_type=PROBLEM_TYPE)

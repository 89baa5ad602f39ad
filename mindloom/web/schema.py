"""How the API is described in its OpenAPI schema, where Django REST framework's views do not say it by themselves."""

from __future__ import annotations

from typing import Any

import django_filters
from django.conf import settings
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, inline_serializer
from rest_framework import serializers

from mindloom.web.api import Pages

Dict = dict[str, Any]


class Problem(serializers.Serializer[Any]):
    """What went wrong (RFC 9457). `code` is stable and for programs, `detail` is for people."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    code = serializers.CharField()
    fields = serializers.DictField(  # type: ignore[assignment]
        child=serializers.ListField(child=serializers.CharField()),
        required=False,
        help_text="Sentences by input, where inputs are at fault.",
    )


class Schema(AutoSchema):  # type: ignore[no-untyped-call]
    """Every operation has a summary, the first sentence of its view, and says what errors look like."""

    def get_summary(self) -> str | None:
        """The one of `extend_schema`, else the view's first sentence."""
        return super().get_summary() or self.get_description().partition(". ")[0].strip().rstrip(".") or None

    def get_operation(self, *args: Any, **kwargs: Any) -> Dict | None:
        """The operation, with problem documents as its other answers."""
        operation: Dict | None = super().get_operation(*args, **kwargs)
        if operation is not None:
            problem = {"schema": self.resolve_serializer(Problem, "response").ref}
            content = {"application/problem+json": problem}
            operation["responses"]["default"] = {"description": "What went wrong.", "content": content}
        return operation

    def _map_serializer_field(self, *args: Any, **kwargs: Any) -> Dict:
        found: Dict = super()._map_serializer_field(*args, **kwargs)  # type: ignore[no-untyped-call]
        # "Anything, or null" holds null twice, which `oneOf` refuses; anything is enough.
        return {name: value for name, value in found.items() if name != "oneOf" or {} not in value}


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """`Authorization: Bearer <access token>`."""

    target_class = "accounts.authentication.TokenAuthentication"
    name = "token"
    priority = 1

    def get_security_definition(self, auto_schema: AutoSchema) -> Dict:
        """The scheme, in OpenAPI's words."""
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}


class SessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """The cookie of somebody who signed in on the pages."""

    target_class = "accounts.authentication.SessionAuthentication"
    name = "session"
    priority = 1

    def get_security_definition(self, auto_schema: AutoSchema) -> Dict:
        """The scheme, in OpenAPI's words."""
        return {"type": "apiKey", "in": "cookie", "name": settings.SESSION_COOKIE_NAME}


PAGING = [
    OpenApiParameter("cursor", OpenApiTypes.STR, description="Where a page begins; follow `next` and `previous`."),
    OpenApiParameter("limit", OpenApiTypes.INT, description=f"How many, from 1 to {Pages.max_page_size}."),
]


def paged(of: type[serializers.BaseSerializer[Any]]) -> Any:
    """A page of a list, as `Pages` answers it."""
    fields: Dict = {
        "next": serializers.URLField(allow_null=True, help_text="The address of the page that follows."),
        "previous": serializers.URLField(allow_null=True, help_text="The address of the page before."),
        "results": of(many=True),
    }
    return inline_serializer(f"{of.__name__}Page", fields)


def query(filters: type[django_filters.FilterSet]) -> list[OpenApiParameter]:
    """The filters of a list, and its paging, as query parameters."""
    return [_parameter(name, one) for name, one in filters.base_filters.items()] + PAGING


def _parameter(name: str, one: django_filters.Filter) -> OpenApiParameter:
    kinds = {
        django_filters.UUIDFilter: OpenApiTypes.UUID,
        django_filters.BooleanFilter: OpenApiTypes.BOOL,
        django_filters.IsoDateTimeFilter: OpenApiTypes.DATETIME,
    }
    kind = next((known for cls, known in kinds.items() if isinstance(one, cls)), OpenApiTypes.STR)
    choices = [str(value) for value, _ in one.extra.get("choices", ())]
    many = isinstance(one, django_filters.MultipleChoiceFilter)
    return OpenApiParameter(
        name, kind, enum=choices or None, many=many, description=str(one.extra.get("help_text", ""))
    )

"""The API's notifications: read them, mark them read, and choose what is told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import django_filters
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import api_view
from rest_framework.response import Response

from mindloom.web.api import Pages
from mindloom.web.errors import Invalid
from mindloom.web.schema import paged, query
from notifications import services
from notifications.models import Kind, Notification
from notifications.queries import preference_of, wanted_by
from notifications.serializers import NotificationOut, PreferenceIn, PreferenceOut, ReadIn, ReadOut

if TYPE_CHECKING:
    from rest_framework.request import Request
    from rest_framework.serializers import Serializer

    from accounts.models import User


class NotificationFilter(django_filters.FilterSet):
    """Filters of the list."""

    unread = django_filters.BooleanFilter("read_at", "isnull", help_text="true: those that you have not read")
    kind = django_filters.ChoiceFilter(choices=Kind.choices)
    department = django_filters.UUIDFilter("department__uuid")

    class Meta:
        """Only the filters above."""

        model = Notification
        fields: tuple[str, ...] = ()


@extend_schema(
    operation_id="notifications_list",
    summary="List what you are told, newest first",
    parameters=query(NotificationFilter),
    responses=paged(NotificationOut),
)
@api_view(["GET"])
def notifications(request: Request) -> Response:
    """Your own, of the kinds that you want to see."""
    found = wanted_by(_user(request)).select_related("person", "department")
    filters = NotificationFilter(request.query_params, found)
    if not filters.is_valid():
        raise Invalid(fields={name: [str(error) for error in errors] for name, errors in filters.errors.items()})
    pages = Pages()
    return pages.get_paginated_response(NotificationOut(pages.paginate_queryset(filters.qs, request), many=True).data)


@extend_schema(
    operation_id="notifications_read",
    summary="Mark notifications read: these, or all",
    request=ReadIn,
    responses=ReadOut,
)
@api_view(["POST"])
def read(request: Request) -> Response:
    """Those of others, and read ones, are passed over."""
    given = _given(ReadIn, request)
    return Response({"read": services.mark_read(actor=_user(request), uuids=given.get("uuids"))})


@extend_schema(
    methods=["GET"],
    operation_id="notification_settings_get",
    summary="Show what you are told, and how",
    responses=PreferenceOut,
)
@extend_schema(
    methods=["PATCH"],
    operation_id="notification_settings_update",
    summary="Choose what you are told, and how",
    request=PreferenceIn,
    responses=PreferenceOut,
)
@api_view(["GET", "PATCH"])
def settings(request: Request) -> Response:
    """What is not given stays as it is."""
    if request.method == "PATCH":
        services.choose(actor=_user(request), **_given(PreferenceIn, request))
    return Response(PreferenceOut(preference_of(_user(request))).data)


def _given(serializer: type[Serializer[Any]], request: Request) -> dict[str, Any]:
    checked = serializer(data=request.data)
    checked.is_valid(raise_exception=True)
    return dict(checked.validated_data)


def _user(request: Request) -> User:
    return cast("User", request.user)

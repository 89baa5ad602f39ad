"""The API's notifications: read them, mark them read, and choose what is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import django_filters
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import api_view
from rest_framework.response import Response

from accounts.authentication import caller
from mindloom.web.api import given_in, listed, sifted
from mindloom.web.schema import paged, query
from notifications import services
from notifications.models import Kind, Notification
from notifications.queries import preference_of, wanted_by
from notifications.serializers import NotificationOut, PreferenceIn, PreferenceOut, ReadIn, ReadOut

if TYPE_CHECKING:
    from rest_framework.request import Request


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
    found = wanted_by(caller(request)).select_related("person", "department")
    return listed(request, sifted(NotificationFilter, request, found), NotificationOut)


@extend_schema(
    operation_id="notifications_read",
    summary="Mark notifications read: these, or all",
    request=ReadIn,
    responses=ReadOut,
)
@api_view(["POST"])
def read(request: Request) -> Response:
    """Those of others, and read ones, are passed over."""
    given = given_in(ReadIn, request)
    return Response({"read": services.mark_read(actor=caller(request), uuids=given.get("uuids"))})


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
        services.choose(actor=caller(request), **given_in(PreferenceIn, request))
    return Response(PreferenceOut(preference_of(caller(request))).data)

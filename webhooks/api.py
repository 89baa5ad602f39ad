"""The API's webhooks, for managers: make, change, try and delete them, and see what was sent."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django.shortcuts import get_object_or_404
from django.urls import reverse
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.decorators import api_view
from rest_framework.response import Response

from accounts.authentication import caller
from accounts.idempotency import idempotent
from accounts.models import Department, Role
from accounts.queries import department_named, departments_where, may
from integrations.serializers import Nothing
from mindloom.web.api import Pages, given_in
from mindloom.web.errors import NotAllowed
from mindloom.web.schema import PAGING, paged
from webhooks import services
from webhooks.models import Delivery, Webhook
from webhooks.queries import body
from webhooks.serializers import (
    DeliveryDetail,
    DeliveryOut,
    NewWebhook,
    WebhookChanges,
    WebhookOut,
    WebhookWithSecret,
)

if TYPE_CHECKING:
    from uuid import UUID

    from rest_framework.request import Request

    from accounts.models import User

_REFUSAL = "Only managers of the department look after its webhooks."


@extend_schema(
    methods=["GET"],
    operation_id="webhooks_list",
    summary="List the webhooks of the departments that you manage, newest first",
    parameters=PAGING,
    responses=paged(WebhookOut),
)
@extend_schema(
    methods=["POST"],
    operation_id="webhooks_create",
    summary="Make a webhook; the answer has its secret, once",
    request=NewWebhook,
    responses={201: WebhookWithSecret},
)
@api_view(["GET", "POST"])
def webhooks(request: Request) -> Response:
    """List webhooks, newest first; or make one."""
    if not departments_where(caller(request), Role.MANAGER):
        raise NotAllowed(_REFUSAL)
    if request.method == "POST":
        return _create(request)
    pages = Pages()
    found = Webhook.objects.editable_by(caller(request)).select_related("department")
    return pages.get_paginated_response(WebhookOut(pages.paginate_queryset(found, request), many=True).data)


@idempotent
def _create(request: Request) -> Response:
    given = given_in(NewWebhook, request)
    department = _department(caller(request), given.pop("department", None))
    made, secret = services.create_webhook(actor=caller(request), department_id=department, **given)
    return _with_secret(made, secret, status=201, headers={"Location": reverse("api:webhook", args=[made.uuid])})


@extend_schema(methods=["GET"], operation_id="webhooks_get", summary="Show a webhook", responses=WebhookOut)
@extend_schema(
    methods=["PATCH"],
    operation_id="webhooks_update",
    summary="Change a webhook, or switch it on or off",
    request=WebhookChanges,
    responses=WebhookOut,
)
@extend_schema(
    methods=["DELETE"],
    operation_id="webhooks_delete",
    summary="Delete a webhook with its log",
    responses={204: OpenApiResponse(description="Deleted")},
)
@api_view(["GET", "PATCH", "DELETE"])
def webhook(request: Request, uuid: UUID) -> Response:
    """Show a webhook, change or delete it."""
    found = _managed(request, uuid)
    if request.method == "DELETE":
        services.delete_webhook(actor=caller(request), webhook=found)
        return Response(status=204)
    if request.method == "PATCH":
        given = given_in(WebhookChanges, request)
        enabled = given.pop("is_enabled", None)
        services.update_webhook(actor=caller(request), webhook=found, values=given)
        if enabled is not None:
            services.enable_webhook(actor=caller(request), webhook=found, enabled=enabled)
    return Response(WebhookOut(_managed(request, uuid)).data)


@extend_schema(
    operation_id="webhooks_rotate",
    summary="Make a new secret; for a day messages are signed with the former one, too",
    request=None,
    responses=WebhookWithSecret,
)
@api_view(["POST"])
def rotate(request: Request, uuid: UUID) -> Response:
    """The new secret is in the answer, once."""
    given_in(Nothing, request)
    secret = services.rotate_secret(actor=caller(request), webhook=_managed(request, uuid))
    return _with_secret(_managed(request, uuid), secret)


@extend_schema(
    operation_id="webhooks_test", summary="Send a test and say how it went", request=None, responses=DeliveryDetail
)
@api_view(["POST"])
def test(request: Request, uuid: UUID) -> Response:
    """The test is sent at once, and once."""
    given_in(Nothing, request)
    return _shown(services.test_webhook(actor=caller(request), webhook=_managed(request, uuid)))


@extend_schema(
    operation_id="webhooks_deliveries",
    summary="List what was sent to a webhook, newest first",
    parameters=PAGING,
    responses=paged(DeliveryOut),
)
@api_view(["GET"])
def deliveries(request: Request, uuid: UUID) -> Response:
    """Kept for `WEBHOOK_KEEP_DAYS`."""
    found = Delivery.objects.editable_by(caller(request)).filter(webhook=_managed(request, uuid))
    pages = Pages()
    return pages.get_paginated_response(DeliveryOut(pages.paginate_queryset(found, request), many=True).data)


@extend_schema(operation_id="webhooks_delivery", responses=DeliveryDetail)
@api_view(["GET"])
def delivery(request: Request, uuid: UUID, delivery_uuid: UUID) -> Response:
    """Show a message with every try to deliver it."""
    return _shown(_delivery(request, uuid, delivery_uuid))


@extend_schema(
    operation_id="webhooks_redeliver",
    summary="Send a message again, with the id it had",
    request=None,
    responses=DeliveryDetail,
)
@api_view(["POST"])
def redeliver(request: Request, uuid: UUID, delivery_uuid: UUID) -> Response:
    """It is sent at once; when that fails it is tried again like a new one."""
    given_in(Nothing, request)
    return _shown(services.redeliver(actor=caller(request), delivery=_delivery(request, uuid, delivery_uuid)))


def _managed(request: Request, uuid: UUID) -> Webhook:
    visible = Webhook.objects.visible_to(caller(request)).select_related("department")
    found = get_object_or_404(visible, uuid=uuid)
    if not may(caller(request), Role.MANAGER, found.department_id):
        raise NotAllowed(_REFUSAL)
    return found


def _delivery(request: Request, uuid: UUID, delivery_uuid: UUID) -> Delivery:
    found = Delivery.objects.editable_by(caller(request)).filter(webhook=_managed(request, uuid))
    return get_object_or_404(found.select_related("webhook"), uuid=delivery_uuid)


def _shown(delivery: Delivery) -> Response:
    return Response(DeliveryDetail(delivery, context={"message": json.loads(body(delivery))}).data)


def _with_secret(webhook: Webhook, secret: str, **options: Any) -> Response:
    webhook.secret = secret  # type: ignore[attr-defined]
    data = WebhookWithSecret(webhook).data
    response = Response(data, **options)
    response["Cache-Control"] = "no-store"
    response.remembered = {**data, "secret": None}  # type: ignore[attr-defined]
    return response


def _department(user: User, wanted: UUID | None) -> int:
    """The id of the department that was named, or of the first, by name, that the person manages."""
    if wanted is None:
        mine = Department.objects.filter(pk__in=departments_where(user, Role.MANAGER)).order_by("name")
        return mine[0].pk
    return department_named(user, wanted)

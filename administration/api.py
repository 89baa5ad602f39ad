"""The API's audit trail, and the prices of models."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from django.http import Http404, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.http import content_disposition_header
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.decorators import api_view
from rest_framework.exceptions import ValidationError
from rest_framework.response import Response

from accounts.idempotency import idempotent
from administration import services
from administration.forms import EntryFilter
from administration.queries import names_of_departments, readable_departments, reading_trail, trail_of
from administration.serializers import EntryOut, NewPrice, PriceOut
from administration.stream import WRITERS
from audit.models import NEWEST_FIRST
from integrations import services as integrations
from integrations.models import Model
from mindloom import wall
from mindloom.web.api import Pages
from mindloom.web.errors import NotAllowed
from mindloom.web.schema import paged, query

if TYPE_CHECKING:
    from uuid import UUID

    from django.http.response import HttpResponseBase
    from rest_framework.request import Request

    from accounts.models import User
    from audit.models import Entry

_FILTERS = [one for one in query(EntryFilter) if one.name not in ("cursor", "limit")]


class _NewestFirst(Pages):
    """In the order of the list's page."""

    ordering = NEWEST_FIRST  # type: ignore[assignment]  # DRF takes a tuple, too


@extend_schema(
    operation_id="audit_list",
    summary="List what was done, newest first: of the departments you manage, or of all as an administrator",
    parameters=query(EntryFilter),
    responses=paged(EntryOut),
)
@api_view(["GET"])
def entries(request: Request) -> Response:
    """The audit trail, newest first."""
    user, departments = _reader(request)
    with reading_trail(user, departments):
        pages = _NewestFirst()
        page: list[Entry] = pages.paginate_queryset(_filtered(request, user, departments).qs, request) or []
        data = EntryOut(page, many=True, context={"departments": names_of_departments(page)}).data
        return pages.get_paginated_response(data)


@extend_schema(operation_id="audit_get", summary="Show one entry of the audit trail", responses=EntryOut)
@api_view(["GET"])
def one_entry(request: Request, entry: int) -> Response:
    """One entry, whole."""
    user, departments = _reader(request)
    with reading_trail(user, departments):
        found = trail_of(user, departments).filter(pk=entry).first()
        if found is None:
            raise Http404
        return Response(EntryOut(found, context={"departments": names_of_departments([found])}).data)


@extend_schema(
    operation_id="audit_export",
    summary="Take entries away: csv, or jsonl with a line of JSON each; the same filters",
    parameters=_FILTERS,
    responses={(200, kind.partition(";")[0]): OpenApiTypes.STR for kind, _ in WRITERS.values()},
)
@api_view(["GET"])
def export(request: Request, ending: str) -> HttpResponseBase:
    """All entries that the filters leave, as a stream. It is noted in the trail."""
    user, departments = _reader(request)
    if ending not in WRITERS:
        raise Http404
    with reading_trail(user, departments):
        filters = _filtered(request, user, departments)
        department = departments[0] if len(departments) == 1 and not user.is_administrator else None
        services.note_export(actor=user, department_id=department, query=request.query_params.urlencode(), form=ending)
        kind, write = WRITERS[ending]
        response = StreamingHttpResponse(write(filters.qs, wall.current()), content_type=kind)
    response["Content-Disposition"] = content_disposition_header(True, f"audit.{ending}")
    response["Cache-Control"] = "private, no-store"
    return response


def _reader(request: Request) -> tuple[User, list[int]]:
    user = cast("User", request.user)
    departments = readable_departments(user)
    if not departments and not user.is_administrator:
        raise NotAllowed("Only managers of a department and administrators read the audit trail.")
    return user, departments


def _filtered(request: Request, user: User, departments: list[int]) -> EntryFilter:
    filters = EntryFilter(request.query_params, trail_of(user, departments))
    if not filters.is_valid():
        raise ValidationError(filters.errors)
    return filters


@extend_schema(
    methods=["GET"],
    operation_id="prices_list",
    summary="List a model's prices, newest first",
    responses=PriceOut(many=True),
)
@extend_schema(
    methods=["POST"],
    operation_id="prices_add",
    summary="Say what a model costs from a moment on; what was used before keeps its price",
    request=NewPrice,
    responses={201: PriceOut},
)
@api_view(["GET", "POST"])
def model_prices(request: Request, uuid: UUID) -> Response:
    """A model's prices, for administrators."""
    model = _model(request, uuid)
    if request.method == "POST":
        return _add_price(request, model)
    return Response(PriceOut(model.prices.select_related("set_by").order_by("-valid_from"), many=True).data)


@idempotent
def _add_price(request: Request, model: Model) -> Response:
    given = NewPrice(data=request.data)
    given.is_valid(raise_exception=True)
    values = {"valid_from": timezone.now()} | given.validated_data
    price = integrations.add_price(actor=cast("User", request.user), model=model, **values)
    return Response(PriceOut(price).data, status=201)


@extend_schema(
    operation_id="prices_remove",
    summary="Take back a price that does not hold yet",
    responses={204: OpenApiResponse(description="Taken back")},
)
@api_view(["DELETE"])
def model_price(request: Request, uuid: UUID, price_uuid: UUID) -> Response:
    """Take a price back; 409 when runs may have been counted with it."""
    price = get_object_or_404(_model(request, uuid).prices, uuid=price_uuid)
    integrations.remove_price(actor=cast("User", request.user), price=price)
    return Response(status=204)


def _model(request: Request, uuid: UUID) -> Model:
    if not cast("User", request.user).is_administrator:
        raise NotAllowed("Only administrators see and change what models cost.")
    return get_object_or_404(Model.objects.select_related("provider"), uuid=uuid)

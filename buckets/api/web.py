"""The API's addresses of the web that a bucket has documents from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.shortcuts import get_object_or_404
from django.urls import reverse
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.decorators import api_view
from rest_framework.response import Response

from accounts.idempotency import idempotent
from buckets import services
from buckets.api.buckets import body_of, caller, find_bucket
from buckets.queries import source_rows
from buckets.serializers import NewSource, SourceOut
from integrations.serializers import Nothing
from mindloom.web.api import Pages
from mindloom.web.schema import PAGING, paged

if TYPE_CHECKING:
    from uuid import UUID

    from rest_framework.request import Request

    from buckets.models import WebSource


@extend_schema(
    methods=["GET"],
    operation_id="buckets_sources_list",
    summary="List the pages and feeds that a bucket has documents from, newest first",
    parameters=PAGING,
    responses=paged(SourceOut),
)
@extend_schema(
    methods=["POST"],
    operation_id="buckets_sources_add",
    summary="Have a page or feed fetched",
    description="A worker fetches it: ask for the source until `is_wanted` is false. An address that is there is fetched again.",
    request=NewSource,
    responses={201: SourceOut},
)
@api_view(["GET", "POST"])
def sources(request: Request, uuid: UUID) -> Response:
    """List the addresses, or add one."""
    if request.method == "POST":
        return _add(request, uuid)
    pages = Pages()
    rows = source_rows(find_bucket(request, uuid))
    return pages.get_paginated_response(SourceOut(pages.paginate_queryset(rows, request), many=True).data)


@idempotent
def _add(request: Request, uuid: UUID) -> Response:
    bucket = find_bucket(request, uuid)
    made = services.add_source(actor=caller(request), bucket=bucket, **body_of(NewSource, request))
    location = {"Location": reverse("api:bucket_source", args=[bucket.uuid, made.uuid])}
    return Response(SourceOut(source_rows(bucket).get(pk=made.pk)).data, status=201, headers=location)


@extend_schema(methods=["GET"], operation_id="buckets_sources_get", summary="Show an address", responses=SourceOut)
@extend_schema(
    methods=["DELETE"],
    operation_id="buckets_sources_remove",
    summary="Fetch an address no more; its documents stay",
    responses={204: OpenApiResponse(description="Removed")},
)
@api_view(["GET", "DELETE"])
def source(request: Request, uuid: UUID, source_uuid: UUID) -> Response:
    """Show an address, or take it away."""
    found = _source(request, uuid, source_uuid)
    if request.method == "DELETE":
        services.remove_source(actor=caller(request), source=found)
        return Response(status=204)
    return Response(SourceOut(found).data)


@extend_schema(operation_id="buckets_sources_refresh", request=None, responses=SourceOut)
@api_view(["POST"])
def refresh(request: Request, uuid: UUID, source_uuid: UUID) -> Response:
    """Fetch an address again. What has changed becomes the next version of its document."""
    body_of(Nothing, request)
    services.refresh_source(actor=caller(request), source=_source(request, uuid, source_uuid))
    return Response(SourceOut(_source(request, uuid, source_uuid)).data)


def _source(request: Request, uuid: UUID, source_uuid: UUID) -> WebSource:
    return get_object_or_404(source_rows(find_bucket(request, uuid)), uuid=source_uuid)

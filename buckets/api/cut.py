"""The API's passages of a document: those that are found, and those that other settings would make."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drf_spectacular.utils import extend_schema
from rest_framework.decorators import api_view
from rest_framework.response import Response

from buckets import worker
from buckets.api.buckets import find_document
from buckets.queries import found_passages
from buckets.serializers import CutOut, PassageOut
from mindloom.web.api import Pages
from mindloom.web.errors import NotFound
from mindloom.web.schema import PAGING, paged

if TYPE_CHECKING:
    from uuid import UUID

    from rest_framework.request import Request

SHOWN = 20


@extend_schema(operation_id="buckets_documents_passages", parameters=PAGING, responses=paged(PassageOut))
@api_view(["GET"])
def passages(request: Request, uuid: UUID, document_uuid: UUID) -> Response:
    """The passages of a document that are found, in their order."""
    version = find_document(request, uuid, document_uuid).live
    if version is None:
        raise NotFound("No version of this document is searched yet.", code="not_searchable")
    pages = Pages()
    pages.ordering = "number"
    rows: Any = pages.paginate_queryset(found_passages(version), request)
    return pages.get_paginated_response(PassageOut(rows, many=True).data)


@extend_schema(operation_id="buckets_documents_preview", responses=CutOut(many=True))
@api_view(["GET"])
def preview(request: Request, uuid: UUID, document_uuid: UUID) -> Response:
    """What each length of passages would make of the document's first 200 parts; nothing is changed."""
    found: Any = worker.cuts(find_document(request, uuid, document_uuid), shown=SHOWN)
    return Response(CutOut(found, many=True).data)

"""The API's buckets and their documents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.decorators import api_view, parser_classes
from rest_framework.parsers import MultiPartParser
from rest_framework.response import Response

from accounts.idempotency import idempotent
from accounts.models import User
from accounts.queries import member_department
from buckets import services
from buckets.models import Bucket, Document
from buckets.queries import Found, counted, live_pages
from buckets.queries import find as found_by
from buckets.serializers import (
    BucketChanges,
    BucketOut,
    BucketOwner,
    DocumentChanges,
    DocumentOut,
    DocumentPages,
    HitsOut,
    NewBucket,
    PageOut,
    PastedText,
    ReplacedFile,
    SearchAsked,
    UploadedFile,
)
from buckets.stream import download
from integrations.serializers import Nothing
from mindloom.web.api import Pages
from mindloom.web.errors import Invalid, NotFound
from mindloom.web.parsers import JSONBody
from mindloom.web.schema import PAGING, paged

if TYPE_CHECKING:
    from uuid import UUID

    from rest_framework.request import Request

PAGES_AT_ONCE = 20


@extend_schema(
    methods=["GET"],
    operation_id="buckets_list",
    summary="List buckets, newest first",
    parameters=[
        *PAGING,
        OpenApiParameter("q", OpenApiTypes.STR, description="Part of the name."),
        OpenApiParameter("archived", OpenApiTypes.BOOL, description="Those that are archived."),
    ],
    responses=paged(BucketOut),
)
@extend_schema(
    methods=["POST"],
    operation_id="buckets_create",
    summary="Make a bucket",
    request=NewBucket,
    responses={201: BucketOut},
)
@api_view(["GET", "POST"])
def buckets(request: Request) -> Response:
    """List buckets, newest first; or make one."""
    if request.method == "POST":
        return _create(request)
    rows = _buckets(request)
    archived = request.query_params.get("archived", "false").lower() in {"true", "1"}
    rows = rows.exclude(archived_at=None) if archived else rows.filter(archived_at=None)
    if text := request.query_params.get("q", "").replace("\x00", ""):
        rows = rows.filter(name__icontains=text)
    pages = Pages()
    return pages.get_paginated_response(BucketOut(pages.paginate_queryset(rows, request), many=True).data)


@idempotent
def _create(request: Request) -> Response:
    given = body_of(NewBucket, request)
    department = member_department(caller(request), given.pop("department", None), things="buckets")
    made = services.create_bucket(actor=caller(request), department_id=department, **given)
    location = {"Location": reverse("api:bucket", args=[made.uuid])}
    return Response(BucketOut(find_bucket(request, made.uuid)).data, status=201, headers=location)


@extend_schema(methods=["GET"], operation_id="buckets_get", summary="Show a bucket", responses=BucketOut)
@extend_schema(
    methods=["PATCH"],
    operation_id="buckets_update",
    summary="Change a bucket",
    request=BucketChanges,
    responses=BucketOut,
)
@extend_schema(
    methods=["DELETE"],
    operation_id="buckets_delete",
    summary="Delete a bucket with its documents",
    parameters=[OpenApiParameter("confirm", OpenApiTypes.STR, required=True, description="The bucket’s name.")],
    responses={204: OpenApiResponse(description="Deleted")},
)
@api_view(["GET", "PATCH", "DELETE"])
def bucket(request: Request, uuid: UUID) -> Response:
    """Show a bucket, change or delete it."""
    found = find_bucket(request, uuid)
    if request.method == "DELETE":
        given = request.data.get("confirm") if isinstance(request.data, dict) else None
        confirm = str(request.query_params.get("confirm") or given or "")
        services.delete_bucket(actor=caller(request), bucket=found, confirm=confirm)
        return Response(status=204)
    if request.method == "PATCH":
        services.update_bucket(actor=caller(request), bucket=found, values=body_of(BucketChanges, request))
    return Response(BucketOut(find_bucket(request, uuid)).data)


@extend_schema(operation_id="buckets_archive", request=None, responses=BucketOut)
@api_view(["POST"])
def archive(request: Request, uuid: UUID) -> Response:
    """Take a bucket out of use; nothing in it is found until it is restored."""
    body_of(Nothing, request)
    services.archive_bucket(actor=caller(request), bucket=find_bucket(request, uuid))
    return Response(BucketOut(find_bucket(request, uuid)).data)


@extend_schema(operation_id="buckets_restore", request=None, responses=BucketOut)
@api_view(["POST"])
def restore(request: Request, uuid: UUID) -> Response:
    """Bring an archived bucket back."""
    body_of(Nothing, request)
    services.restore_bucket(actor=caller(request), bucket=find_bucket(request, uuid))
    return Response(BucketOut(find_bucket(request, uuid)).data)


@extend_schema(operation_id="buckets_transfer", request=BucketOwner, responses=BucketOut)
@api_view(["POST"])
def transfer(request: Request, uuid: UUID) -> Response:
    """Make somebody else the owner."""
    found, address = find_bucket(request, uuid), body_of(BucketOwner, request)["owner"]
    to = User.objects.filter(email__iexact=address, is_active=True).first()
    if to is None:
        raise Invalid(fields={"owner": ["Nobody with this address belongs to the department."]})
    services.transfer_bucket(actor=caller(request), bucket=found, to=to)
    return Response(BucketOut(find_bucket(request, uuid)).data)


@extend_schema(
    operation_id="buckets_search",
    parameters=[SearchAsked],
    responses=HitsOut,
)
@api_view(["GET"])
def search_bucket(request: Request, uuid: UUID) -> Response:
    """Find the passages of a bucket that are about a question, as an agent would."""
    found = find_bucket(request, uuid)
    asked = SearchAsked(data=request.query_params)
    asked.is_valid(raise_exception=True)
    query, limit = asked.validated_data["q"], asked.validated_data["limit"]
    told = found_by([found], query, limit, only=asked.only()) if found.archived_at is None else Found([])
    return Response(HitsOut({"query": query, "notes": told.notes, "results": told.hits}).data)


@extend_schema(
    methods=["GET"],
    operation_id="buckets_documents_list",
    summary="List the documents of a bucket, newest first, with how far they are",
    parameters=PAGING,
    responses=paged(DocumentOut),
)
@extend_schema(
    methods=["POST"],
    operation_id="buckets_documents_add",
    summary="Add a file, as multipart/form-data, or a text, as JSON",
    description="Under a name that the bucket has it becomes the next version. 200 when this content was there already.",
    request={"multipart/form-data": UploadedFile, "application/json": PastedText},
    responses={201: DocumentOut, 200: DocumentOut},
)
@api_view(["GET", "POST"])
@parser_classes([JSONBody, MultiPartParser])
def documents(request: Request, uuid: UUID) -> Response:
    """List the documents of a bucket, or add one."""
    found = find_bucket(request, uuid)
    if request.method == "POST":
        return _add(request, found)
    pages = Pages()
    rows = _documents(found)
    return pages.get_paginated_response(DocumentOut(pages.paginate_queryset(rows, request), many=True).data)


@idempotent
def _add(request: Request, found: Bucket) -> Response:
    if request.FILES:
        file = _file(request)
        more = UploadedFile(data=request.data)
        more.is_valid(raise_exception=True)
        tags = [tag for one in more.validated_data["tags"] for tag in services.split_tags(one)]
        added = services.add_document(
            actor=caller(request), bucket=found, file=file, name=file.name or "file", tags=tags
        )
    elif request.content_type.startswith("multipart/"):
        raise Invalid(fields={"file": ["Send the file as the field “file”."]})
    else:
        added = services.paste_text(actor=caller(request), bucket=found, **body_of(PastedText, request))
    document = _documents(found).get(pk=added.document.pk)
    location = {"Location": reverse("api:bucket_document", args=[found.uuid, document.uuid])}
    return Response(DocumentOut(document).data, status=200 if added.is_known else 201, headers=location)


@extend_schema(
    methods=["GET"],
    operation_id="buckets_documents_get",
    summary="Show a document and how far it is",
    responses=DocumentOut,
)
@extend_schema(
    methods=["PATCH"],
    operation_id="buckets_documents_update",
    summary="Change a document’s name, tags or date",
    request=DocumentChanges,
    responses=DocumentOut,
)
@extend_schema(
    methods=["DELETE"],
    operation_id="buckets_documents_remove",
    summary="Remove a document",
    responses={204: OpenApiResponse(description="Removed")},
)
@api_view(["GET", "PATCH", "DELETE"])
def document(request: Request, uuid: UUID, document_uuid: UUID) -> Response:
    """Show a document, change or remove it."""
    found = find_document(request, uuid, document_uuid)
    if request.method == "DELETE":
        services.remove_document(actor=caller(request), document=found)
        return Response(status=204)
    if request.method == "PATCH":
        services.change_document(actor=caller(request), document=found, values=body_of(DocumentChanges, request))
    return Response(DocumentOut(find_document(request, uuid, document_uuid)).data)


@extend_schema(operation_id="buckets_documents_retry", request=None, responses=DocumentOut)
@api_view(["POST"])
def retry(request: Request, uuid: UUID, document_uuid: UUID) -> Response:
    """Read a document again that failed."""
    body_of(Nothing, request)
    services.retry_document(actor=caller(request), document=find_document(request, uuid, document_uuid))
    return Response(DocumentOut(find_document(request, uuid, document_uuid)).data)


@extend_schema(
    methods=["GET"],
    operation_id="buckets_documents_download",
    summary="Download the file that was given last",
    responses={(200, "application/octet-stream"): OpenApiTypes.BINARY},
)
@extend_schema(
    methods=["PUT"],
    operation_id="buckets_documents_replace",
    summary="Give a document its next version, whatever the file is called",
    request={"multipart/form-data": ReplacedFile},
    responses=DocumentOut,
)
@api_view(["GET", "PUT"])
@parser_classes([MultiPartParser])
def file(request: Request, uuid: UUID, document_uuid: UUID) -> HttpResponseBase:
    """Download a document's file, or replace it."""
    found = find_document(request, uuid, document_uuid)
    if request.method == "PUT":
        services.replace_document(actor=caller(request), document=found, file=_file(request))
        return Response(DocumentOut(find_document(request, uuid, document_uuid)).data)
    if found.newest is None:
        raise NotFound
    return download(found.name, found.newest.content)


@extend_schema(
    operation_id="buckets_documents_pages",
    parameters=[OpenApiParameter("from", OpenApiTypes.INT, description="The first page, counted from 1.")],
    responses=DocumentPages,
)
@api_view(["GET"])
def pages(request: Request, uuid: UUID, document_uuid: UUID) -> Response:
    """Read a document's text as it was found, twenty pages at a time."""
    found = find_document(request, uuid, document_uuid)
    version = found.live or found.newest
    first = request.query_params.get("from", "1")
    if not (first.isascii() and first.isdigit() and len(first) < 9):
        raise Invalid(fields={"from": ["This must be the number of a page."]})
    if version is None:
        raise NotFound
    rows = live_pages(version).filter(number__gte=int(first))[:PAGES_AT_ONCE]
    count = version.content.page_count
    return Response({"version": version.number, "count": count, "results": PageOut(rows, many=True).data})


def caller(request: Request) -> User:
    """Who asks."""
    return cast("User", request.user)


def _buckets(request: Request) -> Any:
    return counted(Bucket.objects.visible_to(caller(request)).select_related("department", "owner", "embedding_model"))


def find_bucket(request: Request, uuid: UUID) -> Bucket:
    """The bucket, or 404."""
    found: Bucket = get_object_or_404(_buckets(request), uuid=uuid)
    return found


def _documents(of: Bucket) -> Any:
    return of.documents.select_related("newest__content", "newest__added_by", "live__content")


def find_document(request: Request, uuid: UUID, document_uuid: UUID) -> Document:
    """The document of this bucket, or 404."""
    found: Document = get_object_or_404(_documents(find_bucket(request, uuid)), uuid=document_uuid)
    return found


def _file(request: Request) -> Any:
    files = request.FILES.getlist("file")
    if len(files) != 1:
        raise Invalid(fields={"file": ["Send one file, as the field “file”. For several, ask several times."]})
    return files[0]


def body_of(serializer: Any, request: Request) -> dict[str, Any]:
    """What was sent, checked."""
    checked = serializer(data=request.data)
    checked.is_valid(raise_exception=True)
    return dict(checked.validated_data)

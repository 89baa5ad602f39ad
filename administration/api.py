"""The API's audit trail."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from django.http import Http404, StreamingHttpResponse
from django.utils.http import content_disposition_header
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import api_view
from rest_framework.exceptions import ValidationError
from rest_framework.response import Response

from administration import services
from administration.forms import EntryFilter
from administration.queries import names_of_departments, readable_departments, reading_trail, trail_of
from administration.serializers import EntryOut
from administration.stream import WRITERS
from audit.models import NEWEST_FIRST
from mindloom import wall
from mindloom.web.api import Pages
from mindloom.web.errors import NotAllowed
from mindloom.web.schema import paged, query

if TYPE_CHECKING:
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

"""The API's keeping of runs: pinned ones, and how long departments keep the others."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, cast

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import api_view
from rest_framework.response import Response

from accounts.models import Role
from accounts.queries import departments_of, may
from accounts.services import set_retention
from mindloom.web.api import Pages
from mindloom.web.errors import NotAllowed
from mindloom.web.schema import PAGING, paged
from runs import services
from runs.api.runs import visible
from runs.models import RetentionReport
from runs.serializers import RetentionChanges, RetentionOut, RetentionReportOut, RunDetail

if TYPE_CHECKING:
    from uuid import UUID

    from rest_framework.request import Request

    from accounts.models import Department, User


class ReportPages(Pages):
    """The latest night first."""

    ordering = "-night"


@extend_schema(methods=["POST"], operation_id="runs_pin", summary="Pin a run", request=None, responses=RunDetail)
@extend_schema(methods=["DELETE"], operation_id="runs_unpin", summary="Unpin a run", responses={200: RunDetail})
@api_view(["POST", "DELETE"])
def pin(request: Request, uuid: UUID) -> Response:
    """Pinned runs are kept, whatever the department's retention says."""
    verb = services.pin_run if request.method == "POST" else services.unpin_run
    verb(actor=cast("User", request.user), run=visible(request, uuid))
    return Response(RunDetail(visible(request, uuid)).data)


@extend_schema(methods=["GET"], operation_id="retention_get", summary="Get a retention", responses=RetentionOut)
@extend_schema(
    methods=["PATCH"],
    operation_id="retention_update",
    summary="Change a retention",
    request=RetentionChanges,
    responses=RetentionOut,
)
@api_view(["GET", "PATCH"])
def retention(request: Request, uuid: UUID) -> Response:
    """How long the department keeps runs, pieces of their logs, and files; and what would go now."""
    department = _managed(request, uuid)
    if request.method == "PATCH":
        given = RetentionChanges(data=request.data)
        given.is_valid(raise_exception=True)
        values = _own(department) | given.validated_data
        set_retention(actor=cast("User", request.user), department=department, **values)
    held = services.days_of(department)
    answer = {"own": _own(department), "held": asdict(held), "would_go": asdict(services.would_go(department, held))}
    return Response(RetentionOut(answer).data)


@extend_schema(operation_id="retention_reports", parameters=PAGING, responses=paged(RetentionReportOut))
@api_view(["GET"])
def reports(request: Request, uuid: UUID) -> Response:
    """What each night's clearing removed, the latest first."""
    found = RetentionReport.objects.visible_to(request.user).filter(department=_managed(request, uuid))
    pages = ReportPages()
    page = pages.paginate_queryset(found, request)
    return pages.get_paginated_response(RetentionReportOut(page, many=True).data)


def _managed(request: Request, uuid: UUID) -> Department:
    department = get_object_or_404(departments_of(request.user), uuid=uuid)
    if not may(request.user, Role.MANAGER, department.pk):
        raise NotAllowed("Only managers of the department and administrators decide how long things are kept.")
    return department


def _own(department: Department) -> dict[str, int | None]:
    return {
        "runs": department.keep_runs_days,
        "events": department.keep_events_days,
        "files": department.keep_files_days,
    }

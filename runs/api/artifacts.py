"""The API's files of runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import api_view
from rest_framework.response import Response

from mindloom.web.errors import NotFound
from runs import services
from runs.api.runs import visible
from runs.models import RunArtifact
from runs.serializers import ArtifactOut
from runs.stream.files import archive, attachment

if TYPE_CHECKING:
    from uuid import UUID

    from django.http import StreamingHttpResponse
    from rest_framework.request import Request

    from accounts.models import User
    from runs.models import Run

_ALL = OpenApiParameter("all", OpenApiTypes.BOOL, description="Earlier versions too, as in ?all=1.")


@extend_schema(operation_id="runs_artifacts", parameters=[_ALL], responses=ArtifactOut(many=True))
@api_view(["GET"])
def artifacts(request: Request, uuid: UUID) -> Response:
    """The run's files, each in its latest version."""
    return Response(ArtifactOut(_chosen(request, visible(request, uuid)), many=True).data)


@extend_schema(
    operation_id="runs_artifacts_zip",
    parameters=[_ALL],
    responses={(200, "application/zip"): OpenApiTypes.BINARY},
)
@api_view(["GET"])
def artifacts_zip(request: Request, uuid: UUID) -> StreamingHttpResponse:
    """The run's files in an archive; 404 when it has none."""
    run = visible(request, uuid)
    found = _chosen(request, run)
    if not found:
        raise NotFound("This run has no files.", code="no_artifacts")
    services.note_download(actor=cast("User", request.user), run=run, what=f"{len(found)} files")
    return archive(run, found)


@extend_schema(operation_id="runs_artifact", responses={(200, "application/octet-stream"): OpenApiTypes.BINARY})
@api_view(["GET"])
def artifact(request: Request, uuid: UUID, artifact_uuid: UUID) -> StreamingHttpResponse:
    """One file, as it was saved."""
    of_run = RunArtifact.objects.visible_to(request.user).filter(run__uuid=uuid).select_related("run")
    found = get_object_or_404(of_run, uuid=artifact_uuid)
    answer = attachment(found)
    services.note_download(actor=cast("User", request.user), run=found.run, what=found.name)
    return answer


def _chosen(request: Request, run: Run) -> list[RunArtifact]:
    of_run = RunArtifact.objects.visible_to(request.user).filter(run=run).select_related("run")
    every = request.query_params.get("all", "") in {"1", "true"}
    return list(of_run.order_by("id") if every else of_run.newest())

"""The API's citations: what a run's answer rests on, looked up again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from drf_spectacular.utils import extend_schema
from rest_framework.decorators import api_view
from rest_framework.response import Response

from runs.api.runs import visible
from runs.serializers import CitationOut
from runs.stream.citations import citations_of

if TYPE_CHECKING:
    from uuid import UUID

    from rest_framework.request import Request

    from accounts.models import User


@extend_schema(operation_id="runs_citations", responses=CitationOut(many=True))
@api_view(["GET"])
def citations(request: Request, uuid: UUID) -> Response:
    """The passages that a run was given, those that its answer cites first, each looked up again in its document."""
    found: Any = citations_of(visible(request, uuid), cast("User", request.user))
    return Response(CitationOut(found, many=True).data)

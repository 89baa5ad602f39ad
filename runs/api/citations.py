"""The API's citations: what a run's answer rests on, looked up again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import api_view
from rest_framework.response import Response

from runs.api.runs import visible
from runs.stream.citations import Citation, citations_of

if TYPE_CHECKING:
    from uuid import UUID

    from rest_framework.request import Request

    from accounts.models import User


class CitationOut(serializers.Serializer[Citation]):
    """A passage that a run was given, looked up again in the version of the document that it is from."""

    number = serializers.IntegerField(help_text="By which the answer cites it, as [1]; 0 when that would be ambiguous.")
    is_cited = serializers.BooleanField()
    found = serializers.ChoiceField(
        ["there", "missing", "gone", "unknown"],
        help_text="Whether the text is in that version: gone for documents that were removed or are not yours to read.",
    )
    misquoted = serializers.ListField(
        child=serializers.CharField(), help_text="What the answer has in quotation marks and the document has not."
    )
    document = serializers.CharField(help_text="Its name then.")
    location = serializers.CharField()
    version = serializers.IntegerField()
    page = serializers.IntegerField()
    text = serializers.CharField()
    url = serializers.SerializerMethodField(help_text="The document’s page of that version; null when it is gone.")

    def get_url(self, citation: Citation) -> str | None:
        """Where a person reads it."""
        if not citation.document_uuid:
            return None
        address = reverse("buckets:document", args=[citation.bucket, citation.document_uuid])
        return f"{address}?version={citation.version}&page={citation.page}"


@extend_schema(operation_id="runs_citations", responses=CitationOut(many=True))
@api_view(["GET"])
def citations(request: Request, uuid: UUID) -> Response:
    """The passages that a run was given, those that its answer cites first, each looked up again in its document."""
    found: Any = citations_of(visible(request, uuid), cast("User", request.user))
    return Response(CitationOut(found, many=True).data)

"""The API of what a bucket is made by, and of the questions that it has to answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.decorators import api_view
from rest_framework.response import Response

from buckets import services
from buckets.api.buckets import body_of, caller, find_bucket
from buckets.queries import generations_of
from buckets.serializers import GenerationDecision, GenerationsOut, NewQuestion, QuestionOut
from mindloom.web.api import Pages
from mindloom.web.schema import PAGING, paged

if TYPE_CHECKING:
    from uuid import UUID

    from rest_framework.request import Request

_VERBS = {
    "adopt": services.adopt_generation,
    "discard": services.discard_generation,
    "revert": services.revert_generation,
}


@extend_schema(
    methods=["GET"],
    operation_id="buckets_generations_get",
    summary="Show what is searched, what is built beside it, and what was before",
    responses=GenerationsOut,
)
@extend_schema(
    methods=["POST"],
    operation_id="buckets_generations_decide",
    summary="Use what was built all the same, throw it away, or go back to the one before",
    request=GenerationDecision,
    responses=GenerationsOut,
)
@api_view(["GET", "POST"])
def generations(request: Request, uuid: UUID) -> Response:
    """Show a bucket's generations, or decide about one."""
    found = find_bucket(request, uuid)
    if request.method == "POST":
        _VERBS[body_of(GenerationDecision, request)["action"]](actor=caller(request), bucket=found)
    return Response(GenerationsOut(generations_of(find_bucket(request, uuid))).data)


@extend_schema(
    methods=["GET"],
    operation_id="buckets_questions_list",
    summary="List the questions of a bucket, newest first",
    parameters=PAGING,
    responses=paged(QuestionOut),
)
@extend_schema(
    methods=["POST"],
    operation_id="buckets_questions_add",
    summary="Keep a question with the document that answers it",
    description="A new generation goes live by itself only when it finds at least as many of them.",
    request=NewQuestion,
    responses={201: QuestionOut},
)
@api_view(["GET", "POST"])
def questions(request: Request, uuid: UUID) -> Response:
    """List the questions of a bucket, or keep one."""
    found = find_bucket(request, uuid)
    if request.method == "POST":
        given = body_of(NewQuestion, request)
        document = found.documents.filter(uuid=given["document"]).first()
        saved = services.save_question(actor=caller(request), bucket=found, text=given["text"], document=document)
        return Response(QuestionOut(saved).data, status=201)
    pages = Pages()
    rows = found.questions.select_related("document", "added_by")
    return pages.get_paginated_response(QuestionOut(pages.paginate_queryset(rows, request), many=True).data)


@extend_schema(operation_id="buckets_questions_remove", responses={204: OpenApiResponse(description="Removed")})
@api_view(["DELETE"])
def question(request: Request, uuid: UUID, question_uuid: UUID) -> Response:
    """Remove a question of a bucket."""
    found = get_object_or_404(find_bucket(request, uuid).questions.select_related("bucket"), uuid=question_uuid)
    services.remove_question(actor=caller(request), question=found)
    return Response(status=204)

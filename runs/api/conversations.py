"""The API's conversations: talk with an agent or a team, turn by turn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import api_view, renderer_classes
from rest_framework.exceptions import ValidationError
from rest_framework.response import Response

from accounts.authentication import caller, needs_scope
from accounts.idempotency import idempotent
from accounts.models import Department, Scope
from accounts.queries import roles_of
from agents.models import Agent
from mindloom.web.api import Pages
from mindloom.web.schema import paged
from runs import services
from runs.api.runs import JSON, created
from runs.api.streams import STREAMS
from runs.api.waiting import PREFER, patient
from runs.models import Conversation
from runs.serializers import (
    ConversationChanges,
    ConversationOut,
    EventOut,
    Message,
    NewConversation,
    Resend,
    RunDetail,
    TurnOut,
)
from runs.stream.downloads import NDJSON
from teams.models import Team

if TYPE_CHECKING:
    from uuid import UUID

    from django.http import StreamingHttpResponse
    from django.http.response import HttpResponseBase
    from rest_framework.request import Request


@needs_scope(Scope.RUN)
@extend_schema(
    methods=["GET"],
    operation_id="conversations_list",
    summary="List one's own conversations",
    responses=paged(ConversationOut),
)
@extend_schema(
    methods=["POST"],
    operation_id="conversations_start",
    summary="Begin to talk with an agent or a team",
    request=NewConversation,
    responses={201: ConversationOut},
)
@api_view(["GET", "POST"])
def conversations(request: Request) -> Response:
    """List one's own conversations, the latest first; or begin one with an agent or a team."""
    return _start(request) if request.method == "POST" else _list(request)


def _list(request: Request) -> Response:
    user = caller(request)
    found = Conversation.objects.visible_to(user).filter(owner=user).select_related("agent", "team", "department")
    pages = Pages()
    page: list[Conversation] | None = pages.paginate_queryset(found, request)
    return pages.get_paginated_response(ConversationOut(page, many=True).data)


@idempotent
def _start(request: Request) -> Response:
    given = NewConversation(data=request.data)
    given.is_valid(raise_exception=True)
    user, values = caller(request), given.validated_data
    target: Agent | Team = (
        get_object_or_404(Team.objects.visible_to(user), uuid=values["team"])
        if "team" in values
        else get_object_or_404(Agent.objects.visible_to(user), uuid=values["agent"])
    )
    department = None
    if "department" in values:
        mine = Department.objects.filter(pk__in=list(roles_of(user)))
        department = get_object_or_404(mine, uuid=values["department"]).pk
    made = services.start_conversation(actor=user, target=target, department_id=department)
    data = ConversationOut(made).data
    return Response(data, status=201, headers={"Location": data["links"]["self"]})


@extend_schema(methods=["GET"], operation_id="conversations_get", responses=ConversationOut)
@extend_schema(
    methods=["PATCH"], operation_id="conversations_rename", request=ConversationChanges, responses=ConversationOut
)
@extend_schema(methods=["DELETE"], operation_id="conversations_delete", responses={204: None})
@api_view(["GET", "PATCH", "DELETE"])
def conversation(request: Request, uuid: UUID) -> Response:
    """One conversation: look at it, rename it, or delete it; its runs stay."""
    found = _visible(request, uuid)
    if request.method == "DELETE":
        services.delete_conversation(actor=caller(request), conversation=found)
        return Response(status=204)
    if request.method == "PATCH":
        given = ConversationChanges(data=request.data)
        given.is_valid(raise_exception=True)
        services.rename_conversation(actor=caller(request), conversation=found, title=given.validated_data["title"])
    return Response(ConversationOut(found).data)


@needs_scope(Scope.RUN)
@extend_schema(
    methods=["GET"],
    operation_id="conversations_messages",
    summary="List the turns",
    responses={(200, JSON): paged(TurnOut)},
)
@extend_schema(
    methods=["POST"],
    operation_id="conversations_say",
    summary="Say something; with Accept: application/x-ndjson follow the answer",
    request=Message,
    parameters=[PREFER],
    responses={(201, JSON): RunDetail, (201, NDJSON): EventOut},
)
@api_view(["GET", "POST"])
@renderer_classes(STREAMS)
def messages(request: Request, uuid: UUID) -> HttpResponseBase:
    """The turns that count, the latest first; or say something: the run is the answer."""
    found = _visible(request, uuid)
    if request.method == "POST":
        return _say(request, found)
    turns = found.runs.filter(replaced=False)
    pages = Pages()
    page = pages.paginate_queryset(turns, request)
    return pages.get_paginated_response(TurnOut(page, many=True).data)


@patient
@idempotent
def _say(request: Request, found: Conversation) -> Response | StreamingHttpResponse:
    given = Message(data=request.data)
    given.is_valid(raise_exception=True)
    run = services.say(
        actor=caller(request),
        conversation=found,
        text=given.validated_data["text"],
        variables=given.validated_data.get("variables"),
    )
    return created(request, run)


@needs_scope(Scope.RUN)
@extend_schema(operation_id="conversations_resend", parameters=[PREFER], request=Resend, responses={201: RunDetail})
@api_view(["POST"])
@patient
@idempotent
def resend(request: Request, uuid: UUID) -> Response | StreamingHttpResponse:
    """Say something else in place of an earlier message: that turn and all later ones are set aside."""
    found = _visible(request, uuid)
    given = Resend(data=request.data)
    given.is_valid(raise_exception=True)
    run = found.runs.select_related("conversation").filter(uuid=given.validated_data["run"]).first()
    if run is None:
        raise ValidationError({"run": ["This conversation has no such run."]})
    return created(request, services.edit_and_resend(actor=caller(request), run=run, text=given.validated_data["text"]))


def _visible(request: Request, uuid: UUID) -> Conversation:
    found = Conversation.objects.visible_to(caller(request)).select_related("agent", "team", "department")
    return get_object_or_404(found, uuid=uuid)

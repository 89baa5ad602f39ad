"""The API's agents and templates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import django_filters
from django.shortcuts import get_object_or_404
from django.urls import reverse
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.decorators import api_view
from rest_framework.exceptions import ValidationError
from rest_framework.response import Response

from accounts.idempotency import idempotent
from accounts.queries import member_department
from agents import gallery, services
from agents.models import Agent
from agents.serializers import (
    AgentChanges,
    AgentDetail,
    AgentSummary,
    CopyName,
    NewAgent,
    Nothing,
    PublishNote,
    TemplateOut,
    VersionOut,
)
from mindloom.web.api import Pages
from mindloom.web.schema import PAGING, paged, query

if TYPE_CHECKING:
    from uuid import UUID

    from rest_framework.request import Request

    from accounts.models import User


class AgentFilter(django_filters.FilterSet):
    """Filters of the list of agents."""

    q = django_filters.CharFilter("name", "icontains", help_text="Part of the name")
    category = django_filters.CharFilter("category")
    department = django_filters.UUIDFilter("department__uuid")
    archived = django_filters.BooleanFilter("archived_at", "isnull", exclude=True)

    class Meta:
        """Only the filters above."""

        model = Agent
        fields: tuple[str, ...] = ()


@extend_schema(
    methods=["GET"],
    operation_id="agents_list",
    summary="List agents, newest first",
    parameters=query(AgentFilter),
    responses=paged(AgentSummary),
)
@extend_schema(
    methods=["POST"],
    operation_id="agents_create",
    summary="Make an agent",
    request=NewAgent,
    responses={201: AgentDetail},
)
@api_view(["GET", "POST"])
def agents(request: Request) -> Response:
    """List agents, newest first; or make one."""
    return _create(request) if request.method == "POST" else _list(request)


def _list(request: Request) -> Response:
    filters = AgentFilter(request.query_params, _agents(request).defer("draft"))
    if not filters.is_valid():
        raise ValidationError(filters.errors)
    pages = Pages()
    page: Any = pages.paginate_queryset(filters.qs, request)
    return pages.get_paginated_response(AgentSummary(page, many=True).data)


@idempotent
def _create(request: Request) -> Response:
    given = _given(NewAgent, request)
    department = member_department(_user(request), given.pop("department", None), things="agents")
    agent = services.create_agent(
        actor=_user(request),
        department_id=department,
        definition=given.pop("draft", None),
        name=given.pop("name"),
        **given,
    )
    return _answer(request, agent, status=201)


@extend_schema(methods=["GET"], operation_id="agents_get", summary="Show an agent", responses=AgentDetail)
@extend_schema(
    methods=["PATCH"],
    operation_id="agents_update",
    summary="Change an agent and its draft",
    request=AgentChanges,
    responses=AgentDetail,
)
@extend_schema(
    methods=["DELETE"],
    operation_id="agents_delete",
    summary="Delete an agent that was never run",
    responses={204: OpenApiResponse(description="Deleted")},
)
@api_view(["GET", "PATCH", "DELETE"])
def agent(request: Request, uuid: UUID) -> Response:
    """Show an agent, change it and its draft, or delete one that was never run."""
    found = _find(request, uuid)
    if request.method == "DELETE":
        services.delete_agent(actor=_user(request), agent=found)
        return Response(status=204)
    if request.method == "PATCH":
        given = _given(AgentChanges, request)
        draft = given.pop("draft", None)
        definition = None if draft is None else {**found.draft, **draft}
        # The merge is over what was read here, so it is kept only if nobody else has written since.
        given.setdefault("draft_digest", found.draft_digest)
        services.update_draft(actor=_user(request), agent=found, definition=definition, **given)
    return _answer(request, found)


@extend_schema(operation_id="agents_publish", request=PublishNote, responses={201: VersionOut})
@api_view(["POST"])
@idempotent
def publish(request: Request, uuid: UUID) -> Response:
    """Make the draft the version that runs use."""
    found = _find(request, uuid)
    version = services.publish_agent(actor=_user(request), agent=found, note=_given(PublishNote, request)["note"])
    return Response(
        VersionOut(version).data, status=201, headers={"Location": reverse("api:agent_versions", args=[uuid])}
    )


@extend_schema(operation_id="agents_duplicate", request=CopyName, responses={201: AgentDetail})
@api_view(["POST"])
@idempotent
def duplicate(request: Request, uuid: UUID) -> Response:
    """Make a copy of the draft under another name."""
    name = _given(CopyName, request).get("name")
    copy = services.duplicate_agent(actor=_user(request), agent=_find(request, uuid), name=name)
    return _answer(request, copy, status=201)


@extend_schema(operation_id="agents_archive", request=None, responses=AgentDetail)
@api_view(["POST"])
def archive(request: Request, uuid: UUID) -> Response:
    """Take the agent out of use; its runs and versions stay."""
    _given(Nothing, request)
    return _answer(request, services.archive_agent(actor=_user(request), agent=_find(request, uuid)))


@extend_schema(operation_id="agents_restore", request=None, responses=AgentDetail)
@api_view(["POST"])
def restore(request: Request, uuid: UUID) -> Response:
    """Bring an archived agent back."""
    _given(Nothing, request)
    return _answer(request, services.restore_agent(actor=_user(request), agent=_find(request, uuid)))


@extend_schema(operation_id="agents_versions", parameters=PAGING, responses=paged(VersionOut))
@api_view(["GET"])
def versions(request: Request, uuid: UUID) -> Response:
    """List the published versions, newest first."""
    pages = Pages()
    page = pages.paginate_queryset(_find(request, uuid).versions.select_related("published_by"), request)
    return pages.get_paginated_response(VersionOut(page, many=True).data)


@extend_schema(operation_id="templates_list", responses=TemplateOut(many=True))
@api_view(["GET"])
def templates(request: Request) -> Response:
    """List the templates of the gallery."""
    shown = [name for name in TemplateOut().get_fields() if name != "definition"]
    rows = [
        {**{name: getattr(one, name) for name in shown}, "definition": one.definition()} for one in gallery.TEMPLATES
    ]
    return Response(TemplateOut(rows, many=True).data)


def _user(request: Request) -> User:
    return cast("User", request.user)


def _agents(request: Request) -> Any:
    return Agent.objects.visible_to(_user(request)).select_related("department", "owner", "published")


def _find(request: Request, uuid: UUID) -> Agent:
    return cast("Agent", get_object_or_404(_agents(request), uuid=uuid))


def _given(serializer: Any, request: Request) -> dict[str, Any]:
    given = serializer(data=request.data)
    given.is_valid(raise_exception=True)
    return dict(given.validated_data)


def _answer(request: Request, agent: Agent, status: int = 200) -> Response:
    fresh = _find(request, agent.uuid)
    headers = {"Location": reverse("api:agent", args=[agent.uuid])} if status == 201 else None
    return Response(AgentDetail(fresh).data, status=status, headers=headers)

"""The API's agents and templates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import django_filters
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.decorators import api_view
from rest_framework.response import Response

from accounts.authentication import caller
from accounts.idempotency import idempotent
from accounts.queries import member_department, roles_of
from agents import gallery, services
from agents.models import Agent
from agents.queries import agent_file, compared, difference, file_name, heirs
from agents.serializers import (
    AgentChanges,
    AgentCopy,
    AgentDetail,
    AgentFile,
    AgentSummary,
    DifferenceOut,
    ImportedAgent,
    NewAgent,
    NewOwner,
    Nothing,
    PublishNote,
    TemplateOut,
    VersionNumber,
    VersionOut,
)
from mindloom.web.api import Pages, given_in, listed, sifted
from mindloom.web.errors import Invalid
from mindloom.web.schema import PAGING, paged, query

if TYPE_CHECKING:
    from uuid import UUID

    from rest_framework.request import Request

    from agents.models import AgentVersion

YAML = "application/yaml"


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
    return listed(request, sifted(AgentFilter, request, _agents(request).defer("draft")), AgentSummary)


@idempotent
def _create(request: Request) -> Response:
    given = given_in(NewAgent, request)
    department = member_department(caller(request), given.pop("department", None), things="agents")
    agent = services.create_agent(
        actor=caller(request),
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
        services.delete_agent(actor=caller(request), agent=found)
        return Response(status=204)
    if request.method == "PATCH":
        given = given_in(AgentChanges, request)
        draft = given.pop("draft", None)
        definition = None if draft is None else {**found.draft, **draft}
        # The merge is over what was read here, so it is kept only if nobody else has written since.
        given.setdefault("draft_digest", found.draft_digest)
        services.update_draft(actor=caller(request), agent=found, definition=definition, **given)
    return _answer(request, found)


@extend_schema(operation_id="agents_publish", request=PublishNote, responses={201: VersionOut})
@api_view(["POST"])
@idempotent
def publish(request: Request, uuid: UUID) -> Response:
    """Make the draft the version that runs use."""
    found = _find(request, uuid)
    version = services.publish_agent(actor=caller(request), agent=found, note=given_in(PublishNote, request)["note"])
    return Response(
        VersionOut(version).data, status=201, headers={"Location": reverse("api:agent_versions", args=[uuid])}
    )


@extend_schema(operation_id="agents_duplicate", request=AgentCopy, responses={201: AgentDetail})
@api_view(["POST"])
@idempotent
def duplicate(request: Request, uuid: UUID) -> Response:
    """Make a copy of the draft under another name; of an agent that another department shares, of what is published."""
    given, found = given_in(AgentCopy, request), _find(request, uuid)
    wanted = given.get("department")
    department = member_department(caller(request), wanted, things="agents") if wanted else None
    copy = services.duplicate_agent(
        actor=caller(request), agent=found, name=given.get("name"), department_id=department
    )
    return _answer(request, copy, status=201)


@extend_schema(operation_id="agents_import", request=AgentFile, responses={201: ImportedAgent})
@api_view(["POST"])
@idempotent
def import_file(request: Request) -> Response:
    """Make a new agent, with a draft of yours, from an exported file."""
    given = given_in(AgentFile, request)
    department = member_department(caller(request), given.get("department"), things="agents")
    made = services.import_agent(actor=caller(request), department_id=department, data=given["file"].encode())
    answer = _answer(request, made.agent, status=201)
    answer.data["notes"] = list(made.notes)
    return answer


@extend_schema(
    operation_id="agents_export",
    parameters=[OpenApiParameter("version", OpenApiTypes.INT, description="The draft, when left out.")],
    responses={(200, YAML): OpenApiTypes.STR},
)
@api_view(["GET"])
def export(request: Request, uuid: UUID) -> HttpResponse:
    """Show the agent as a YAML file without secrets; models and connections are named."""
    found = _find(request, uuid)
    wanted = request.query_params.get("version", "")
    source = _version(found, wanted) if wanted else None if _is_inside(request, found) else found.published
    headers = {"Content-Disposition": f'attachment; filename="{file_name(found)}"'}
    return HttpResponse(agent_file(found, source), content_type=f"{YAML}; charset=utf-8", headers=headers)


@extend_schema(operation_id="agents_restore_version", request=VersionNumber, responses=AgentDetail)
@api_view(["POST"])
def restore_version(request: Request, uuid: UUID) -> Response:
    """Make an earlier version the draft; runs go on with what is published."""
    found, number = _find(request, uuid), given_in(VersionNumber, request)["number"]
    return _answer(request, services.restore_version(actor=caller(request), agent=found, number=number))


@extend_schema(operation_id="agents_transfer", request=NewOwner, responses=AgentDetail)
@api_view(["POST"])
def transfer(request: Request, uuid: UUID) -> Response:
    """Make somebody else of the department the owner."""
    found, wanted = _find(request, uuid), given_in(NewOwner, request)["owner"]
    to = next((one for one in heirs(found) if one.email == wanted.lower()), None)
    if to is None and Agent.objects.editable_by(caller(request)).filter(pk=found.pk).exists():
        sentence = "Nobody with this address is a member or manager of the agent’s department."
        raise Invalid(sentence, fields={"owner": [sentence]})
    return _answer(request, services.transfer_agent(actor=caller(request), agent=found, to=to or caller(request)))


@extend_schema(
    operation_id="agents_compare",
    parameters=[
        OpenApiParameter(
            "from", OpenApiTypes.STR, description="A version’s number or “draft”; what is published, when left out."
        ),
        OpenApiParameter(
            "to", OpenApiTypes.STR, description="A version’s number or “draft”; the draft, when left out."
        ),
    ],
    responses=DifferenceOut,
)
@api_view(["GET"])
def compare(request: Request, uuid: UUID) -> Response:
    """Say what changed between two versions, or a version and the draft."""
    found = _find(request, uuid)
    sides = (request.query_params.get(name, "") for name in ("from", "to"))
    before, after = compared(found, *sides, inside=_is_inside(request, found))
    changed = difference(before.definition, after.definition)
    told = {"before": before.key, "after": after.key, "changes": changed.changes, "lines": changed.lines}
    return Response(DifferenceOut(told).data)


@extend_schema(operation_id="agents_archive", request=None, responses=AgentDetail)
@api_view(["POST"])
def archive(request: Request, uuid: UUID) -> Response:
    """Take the agent out of use; its runs and versions stay."""
    given_in(Nothing, request)
    return _answer(request, services.archive_agent(actor=caller(request), agent=_find(request, uuid)))


@extend_schema(operation_id="agents_restore", request=None, responses=AgentDetail)
@api_view(["POST"])
def restore(request: Request, uuid: UUID) -> Response:
    """Bring an archived agent back."""
    given_in(Nothing, request)
    return _answer(request, services.restore_agent(actor=caller(request), agent=_find(request, uuid)))


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


def _agents(request: Request) -> Any:
    return Agent.objects.visible_to(caller(request)).select_related("department", "owner", "published")


def _find(request: Request, uuid: UUID) -> Agent:
    return cast("Agent", get_object_or_404(_agents(request), uuid=uuid))


def _answer(request: Request, agent: Agent, status: int = 200) -> Response:
    fresh = _find(request, agent.uuid)
    headers = {"Location": reverse("api:agent", args=[agent.uuid])} if status == 201 else None
    shown = AgentDetail(fresh, context={"request": request}).data
    return Response(shown, status=status, headers=headers)


def _is_inside(request: Request, agent: Agent) -> bool:
    return agent.department_id in roles_of(caller(request))


def _version(agent: Agent, wanted: str) -> AgentVersion:
    number = int(wanted) if wanted.isascii() and wanted.isdigit() and len(wanted) < 10 else 0
    return get_object_or_404(agent.versions.filter(number=number))

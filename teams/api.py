"""The API's teams."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import django_filters
from django.shortcuts import get_object_or_404
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.decorators import api_view
from rest_framework.response import Response

from accounts.authentication import caller
from accounts.idempotency import idempotent
from accounts.models import Role
from accounts.queries import may, member_department
from agents.definition.reading import clean_name
from agents.serializers import DifferenceOut, NewOwner, Nothing, PublishNote, VersionNumber
from mindloom.web.api import Pages, given_in, listed, sifted
from mindloom.web.errors import Invalid, NotFound
from mindloom.web.http import yaml_download
from mindloom.web.schema import PAGING, paged, query
from teams import services
from teams.models import Team
from teams.queries import definition_of, difference, exported, heirs
from teams.serializers import (
    TYPE_CHOICES,
    ImportedTeam,
    NewTeam,
    TeamChanges,
    TeamCopy,
    TeamDetail,
    TeamFile,
    TeamSummary,
    TeamVersionOut,
)

if TYPE_CHECKING:
    from uuid import UUID

    from django.http import HttpResponse
    from rest_framework.request import Request


_WHICH = "The number of a version, or draft."
WHICH = OpenApiParameter("version", str, description=f"{_WHICH} The draft, when left out.")
BEFORE = OpenApiParameter("from", str, description=f"{_WHICH} What is published, when left out.")
AFTER = OpenApiParameter("to", str, description=f"{_WHICH} The draft, when left out.")


class TeamFilter(django_filters.FilterSet):
    """Filters of the list of teams."""

    q = django_filters.CharFilter("name", "icontains", help_text="Part of the name")
    type = django_filters.ChoiceFilter("draft__type", choices=TYPE_CHOICES)
    department = django_filters.UUIDFilter("department__uuid")
    archived = django_filters.BooleanFilter("archived_at", "isnull", exclude=True)

    class Meta:
        """Only the filters above."""

        model = Team
        fields: tuple[str, ...] = ()


@extend_schema(
    methods=["GET"],
    operation_id="teams_list",
    summary="List teams, newest first",
    parameters=query(TeamFilter),
    responses=paged(TeamSummary),
)
@extend_schema(
    methods=["POST"],
    operation_id="teams_create",
    summary="Make a team",
    request=NewTeam,
    responses={201: TeamDetail},
)
@api_view(["GET", "POST"])
def teams(request: Request) -> Response:
    """List teams, newest first; or make one."""
    return _create(request) if request.method == "POST" else _list(request)


def _list(request: Request) -> Response:
    return listed(request, sifted(TeamFilter, request, _teams(request)), TeamSummary)


@idempotent
def _create(request: Request) -> Response:
    given = given_in(NewTeam, request)
    team = services.create_team(
        actor=caller(request),
        department_id=member_department(caller(request), given.pop("department", None), things="teams"),
        definition=given.pop("draft", None),
        **given,
    )
    return _answer(request, team, status=201)


@extend_schema(methods=["GET"], operation_id="teams_get", summary="Show a team", responses=TeamDetail)
@extend_schema(
    methods=["PATCH"],
    operation_id="teams_update",
    summary="Change a team and its draft",
    request=TeamChanges,
    responses=TeamDetail,
)
@extend_schema(
    methods=["DELETE"],
    operation_id="teams_delete",
    summary="Delete a team that was never run",
    responses={204: OpenApiResponse(description="Deleted")},
)
@api_view(["GET", "PATCH", "DELETE"])
def team(request: Request, uuid: UUID) -> Response:
    """Show a team, change it and its draft, or delete one that was never run."""
    found = _find(request, uuid)
    if request.method == "DELETE":
        services.delete_team(actor=caller(request), team=found)
        return Response(status=204)
    if request.method == "PATCH":
        given = given_in(TeamChanges, request)
        draft = given.pop("draft", None)
        definition = None if draft is None else {**found.draft, **draft}
        # The merge is over what was read here, so it is kept only if nobody else has written since.
        given.setdefault("draft_digest", found.draft_digest)
        services.update_draft(actor=caller(request), team=found, definition=definition, **given)
    return _answer(request, found)


@extend_schema(operation_id="teams_publish", request=PublishNote, responses={201: TeamVersionOut})
@api_view(["POST"])
@idempotent
def publish(request: Request, uuid: UUID) -> Response:
    """Make the draft the version that runs use."""
    found = _find(request, uuid)
    version = services.publish_team(actor=caller(request), team=found, note=given_in(PublishNote, request)["note"])
    return Response(
        TeamVersionOut(version).data, status=201, headers={"Location": reverse("api:team_versions", args=[uuid])}
    )


@extend_schema(operation_id="teams_duplicate", request=TeamCopy, responses={201: TeamDetail})
@api_view(["POST"])
@idempotent
def duplicate(request: Request, uuid: UUID) -> Response:
    """Make a copy of the draft under another name; of a team that another department shares, of what is published."""
    given, found = given_in(TeamCopy, request), _find(request, uuid)
    wanted = given.get("department")
    department = member_department(caller(request), wanted, things="teams") if wanted else None
    copy = services.duplicate_team(actor=caller(request), team=found, name=given.get("name"), department_id=department)
    return _answer(request, copy, status=201)


@extend_schema(operation_id="teams_archive", request=None, responses=TeamDetail)
@api_view(["POST"])
def archive(request: Request, uuid: UUID) -> Response:
    """Take the team out of use; its runs and versions stay."""
    given_in(Nothing, request)
    return _answer(request, services.archive_team(actor=caller(request), team=_find(request, uuid)))


@extend_schema(operation_id="teams_restore", request=None, responses=TeamDetail)
@api_view(["POST"])
def restore(request: Request, uuid: UUID) -> Response:
    """Bring an archived team back."""
    given_in(Nothing, request)
    return _answer(request, services.restore_team(actor=caller(request), team=_find(request, uuid)))


@extend_schema(operation_id="teams_versions", parameters=PAGING, responses=paged(TeamVersionOut))
@api_view(["GET"])
def versions(request: Request, uuid: UUID) -> Response:
    """List the published versions, newest first."""
    pages = Pages()
    page = pages.paginate_queryset(_find(request, uuid).versions.select_related("published_by"), request)
    return pages.get_paginated_response(TeamVersionOut(page, many=True).data)


@extend_schema(
    operation_id="teams_export",
    summary="Export a team as a YAML file",
    parameters=[WHICH],
    responses={(200, "application/yaml"): OpenApiTypes.STR},
)
@api_view(["GET"])
def export(request: Request, uuid: UUID) -> HttpResponse:
    """The file of the draft, or of a version; without secrets, members named."""
    found = _find(request, uuid)
    definition = _definition(request, found, request.query_params.get("version") or _usual(request, found))
    return yaml_download(found.name, exported(caller(request), found, definition))


@extend_schema(operation_id="teams_import", request=TeamFile, responses={201: ImportedTeam})
@api_view(["POST"])
@idempotent
def import_file(request: Request) -> Response:
    """Make a new team from an exported file; `notes` say what has to be looked at."""
    given = given_in(TeamFile, request)
    department = member_department(caller(request), given.get("department"), things="teams")
    made = services.import_team(actor=caller(request), department_id=department, data=given["file"].encode())
    answer = _answer(request, made.team, status=201)
    answer.data["notes"] = list(made.notes)
    return answer


@extend_schema(operation_id="teams_restore_version", request=VersionNumber, responses=TeamDetail)
@api_view(["POST"])
def restore_version(request: Request, uuid: UUID) -> Response:
    """Make an earlier version the draft; runs go on with what is published."""
    found, number = _find(request, uuid), given_in(VersionNumber, request)["number"]
    return _answer(request, services.restore_version(actor=caller(request), team=found, number=number))


@extend_schema(operation_id="teams_transfer", request=NewOwner, responses=TeamDetail)
@api_view(["POST"])
def transfer(request: Request, uuid: UUID) -> Response:
    """Make somebody else of the department the owner."""
    found, wanted = _find(request, uuid), given_in(NewOwner, request)["owner"]
    to = next((one for one in heirs(found) if one.email == wanted.lower()), None)
    if to is None and Team.objects.editable_by(caller(request)).filter(pk=found.pk).exists():
        sentence = "Nobody with this address is a member or manager of the team’s department."
        raise Invalid(sentence, fields={"owner": [sentence]})
    return _answer(request, services.transfer_team(actor=caller(request), team=found, to=to or caller(request)))


@extend_schema(operation_id="teams_compare", parameters=[BEFORE, AFTER], responses=DifferenceOut)
@api_view(["GET"])
def compare(request: Request, uuid: UUID) -> Response:
    """What changed from one version to another, or to the draft, in sentences."""
    found = _find(request, uuid)
    published = str(found.published.number) if found.published else ""
    before = request.query_params.get("from") or published
    after = request.query_params.get("to") or _usual(request, found)
    changed = difference(caller(request), _definition(request, found, before), _definition(request, found, after))
    told = {"before": before, "after": after, "changes": changed.changes, "lines": changed.lines}
    return Response(DifferenceOut(told).data)


def _usual(request: Request, team: Team) -> str:
    """The draft, or what is published for people who do not see the draft."""
    inside = may(caller(request), Role.VIEWER, team.department_id)
    return "draft" if inside or team.published is None else str(team.published.number)


def _definition(request: Request, team: Team, which: str) -> dict[str, Any]:
    found: dict[str, Any] | None = definition_of(caller(request), team, which)
    if found is None:
        raise NotFound(f"“{team.name}” has no version “{clean_name(which)}”. Name the number of one, or draft.")
    return found


def _teams(request: Request) -> Any:
    return Team.objects.visible_to(caller(request)).select_related("department", "owner", "published")


def _find(request: Request, uuid: UUID) -> Team:
    return cast("Team", get_object_or_404(_teams(request), uuid=uuid))


def _answer(request: Request, team: Team, status: int = 200) -> Response:
    fresh = _find(request, team.uuid)
    headers = {"Location": reverse("api:team", args=[team.uuid])} if status == 201 else None
    return Response(TeamDetail(fresh, context={"request": request}).data, status=status, headers=headers)

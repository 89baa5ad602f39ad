"""The API's schedules: make, change, pause, run and delete them, and read their ledgers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import django_filters
from django.shortcuts import get_object_or_404
from django.urls import reverse
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.decorators import api_view
from rest_framework.response import Response

from accounts.authentication import caller
from accounts.idempotency import idempotent
from accounts.queries import department_named
from agents.models import Agent
from integrations.serializers import Nothing
from mindloom.web.api import Pages, given_in, listed, sifted
from mindloom.web.schema import PAGING, paged, query
from runs.services import check_may_run
from schedules import services
from schedules.definition import check_rule, check_zone
from schedules.models import Occurrence, Schedule
from schedules.queries import preview
from schedules.serializers import NewSchedule, NextTimes, OccurrenceOut, RuleFields, ScheduleChanges, ScheduleOut
from teams.models import Team

if TYPE_CHECKING:
    from uuid import UUID

    from rest_framework.request import Request

    from accounts.models import User


class ScheduleFilter(django_filters.FilterSet):
    """Filters of the list of schedules."""

    q = django_filters.CharFilter("name", "icontains", help_text="Part of the name")
    agent = django_filters.UUIDFilter("agent__uuid")
    team = django_filters.UUIDFilter("team__uuid")
    department = django_filters.UUIDFilter("department__uuid")
    paused = django_filters.BooleanFilter("paused_at", "isnull", exclude=True)

    class Meta:
        """Only the filters above."""

        model = Schedule
        fields: tuple[str, ...] = ()


@extend_schema(
    methods=["GET"],
    operation_id="schedules_list",
    summary="List schedules, newest first",
    parameters=query(ScheduleFilter),
    responses=paged(ScheduleOut),
)
@extend_schema(
    methods=["POST"],
    operation_id="schedules_create",
    summary="Make a schedule; its runs have your rights",
    request=NewSchedule,
    responses={201: ScheduleOut},
)
@api_view(["GET", "POST"])
def schedules(request: Request) -> Response:
    """List schedules, newest first; or make one."""
    if request.method == "POST":
        return _create(request)
    return listed(request, sifted(ScheduleFilter, request, _visible(request)), ScheduleOut)


@idempotent
def _create(request: Request) -> Response:
    given = given_in(NewSchedule, request)
    user = caller(request)
    target = _target(user, given)
    wanted = given.pop("department", None)
    department = check_may_run(user, target, department_named(user, wanted) if wanted else None)
    made = services.create_schedule(actor=user, target=target, department_id=department, **given)
    return Response(
        ScheduleOut(_one(request, made.uuid)).data,
        status=201,
        headers={"Location": reverse("api:schedule", args=[made.uuid])},
    )


@extend_schema(methods=["GET"], operation_id="schedules_get", summary="Show a schedule", responses=ScheduleOut)
@extend_schema(
    methods=["PATCH"],
    operation_id="schedules_update",
    summary="Change a schedule; times that have passed keep their rows",
    request=ScheduleChanges,
    responses=ScheduleOut,
)
@extend_schema(
    methods=["DELETE"],
    operation_id="schedules_delete",
    summary="Delete a schedule with its ledger; its runs stay",
    responses={204: OpenApiResponse(description="Deleted")},
)
@api_view(["GET", "PATCH", "DELETE"])
def schedule(request: Request, uuid: UUID) -> Response:
    """Show a schedule, change or delete it."""
    found = _one(request, uuid)
    if request.method == "DELETE":
        services.delete_schedule(actor=caller(request), schedule=found)
        return Response(status=204)
    if request.method == "PATCH":
        given = given_in(ScheduleChanges, request)
        services.update_schedule(actor=caller(request), schedule=found, values=given)
    return _shown(request, uuid)


@extend_schema(
    operation_id="schedules_pause",
    summary="Pause a schedule: its times pass without a run",
    request=None,
    responses=ScheduleOut,
)
@api_view(["POST"])
def pause(request: Request, uuid: UUID) -> Response:
    """The ledger says so for each time."""
    given_in(Nothing, request)
    services.pause_schedule(actor=caller(request), schedule=_one(request, uuid))
    return _shown(request, uuid)


@extend_schema(
    operation_id="schedules_resume",
    summary="Let a schedule go on with its next time",
    request=None,
    responses=ScheduleOut,
)
@api_view(["POST"])
def resume(request: Request, uuid: UUID) -> Response:
    """Failures count anew."""
    given_in(Nothing, request)
    services.resume_schedule(actor=caller(request), schedule=_one(request, uuid))
    return _shown(request, uuid)


@extend_schema(
    operation_id="schedules_take_over",
    summary="Become the owner of a schedule; runs are started with your rights from now on",
    request=None,
    responses=ScheduleOut,
)
@api_view(["POST"])
def take_over(request: Request, uuid: UUID) -> Response:
    """For managers, when the owner leaves."""
    given_in(Nothing, request)
    services.take_over_schedule(actor=caller(request), schedule=_one(request, uuid))
    return _shown(request, uuid)


@extend_schema(
    operation_id="schedules_run",
    summary="Start a run of a schedule now, with its owner's rights",
    request=None,
    responses={201: OccurrenceOut},
)
@api_view(["POST"])
def run(request: Request, uuid: UUID) -> Response:
    """Whatever else of it is under way."""
    return _run(request, uuid)


@idempotent
def _run(request: Request, uuid: UUID) -> Response:
    given_in(Nothing, request)
    made = services.run_schedule(actor=caller(request), schedule=_one(request, uuid))
    return Response(OccurrenceOut(made).data, status=201)


@extend_schema(
    operation_id="schedules_occurrences",
    summary="List the times of a schedule with what became of each, newest first",
    parameters=PAGING,
    responses=paged(OccurrenceOut),
)
@api_view(["GET"])
def occurrences(request: Request, uuid: UUID) -> Response:
    """Kept for 400 days."""
    pages = _ByTime()
    found = Occurrence.objects.visible_to(caller(request)).filter(schedule=_one(request, uuid))
    return pages.get_paginated_response(OccurrenceOut(pages.paginate_queryset(found, request), many=True).data)


@extend_schema(
    operation_id="schedules_next_times",
    summary="Say what a rule means: in words, with its next ten times",
    request=RuleFields,
    responses=NextTimes,
)
@api_view(["POST"])
def next_times(request: Request) -> Response:
    """Nothing is kept."""
    given = given_in(RuleFields, request)
    rule, zone = check_rule(given["rule"]), check_zone(given["time_zone"])
    found = preview(rule, zone, given.get("starts_at"), given.get("ends_at"))
    times = [moment.astimezone(ZoneInfo(zone)).isoformat() for moment in found.times]
    return Response({"words": found.words, "notes": found.notes, "times": times})


class _ByTime(Pages):
    """The ledger's own order."""

    ordering = "-planned_at"


def _target(user: User, given: dict[str, Any]) -> Agent | Team:
    """What is to run. The serializer has seen that it is one thing."""
    if uuid := given.pop("team", None):
        return get_object_or_404(Team.objects.visible_to(user), uuid=uuid)
    return get_object_or_404(Agent.objects.visible_to(user), uuid=given.pop("agent"))


def _visible(request: Request) -> Any:
    return Schedule.objects.visible_to(caller(request)).select_related("department", "owner", "agent", "team")


def _one(request: Request, uuid: UUID) -> Schedule:
    found: Schedule = get_object_or_404(_visible(request), uuid=uuid)
    return found


def _shown(request: Request, uuid: UUID) -> Response:
    return Response(ScheduleOut(_one(request, uuid)).data)

"""The API's runs: start, follow, stop, repeat, take away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.decorators import api_view, renderer_classes
from rest_framework.exceptions import ValidationError
from rest_framework.response import Response

from accounts.authentication import needs_scope
from accounts.idempotency import idempotent
from accounts.models import Department, Scope
from accounts.queries import roles_of
from agents.models import Agent
from mindloom.web.api import Pages
from mindloom.web.errors import NotAllowed, NotFound
from mindloom.web.schema import paged, query
from runs import services
from runs.api.streams import STREAMS, followed, started, wants
from runs.api.waiting import PREFER, patient
from runs.forms import RunFilter
from runs.models import LONG_COLUMNS, NEWEST_FIRST, Conversation, Run, Trigger
from runs.serializers import SHOWN, EventOut, EventPage, NewRun, RepeatRun, RunDetail, RunSummary
from runs.stream import read_after
from runs.stream.downloads import EVENT_STREAM, NDJSON, csv_download, log_download
from teams.models import Team

if TYPE_CHECKING:
    from uuid import UUID

    from django.http.response import HttpResponseBase
    from rest_framework.request import Request

    from accounts.models import User

AFTER_MAX = 2**62
AFTER_DIGITS = 40
JSON = "application/json"


_AFTER = OpenApiParameter("after", OpenApiTypes.INT, description="Only events that follow this sequence number.")


@needs_scope(Scope.RUN)
@extend_schema(
    methods=["GET"],
    operation_id="runs_list",
    summary="List runs, newest first",
    parameters=query(RunFilter),
    responses={(200, JSON): paged(RunSummary)},
)
@extend_schema(
    methods=["POST"],
    operation_id="runs_start",
    summary="Start a run; with Accept: application/x-ndjson follow its events",
    request=NewRun,
    parameters=[PREFER],
    responses={(201, JSON): RunDetail, (201, NDJSON): EventOut},
)
@api_view(["GET", "POST"])
@renderer_classes(STREAMS)
def runs(request: Request) -> HttpResponseBase:
    """List runs, newest first; or start one. With `Accept: application/x-ndjson` a start answers with its events, live."""
    return _start(request) if request.method == "POST" else _list(request)


class _NewestFirst(Pages):
    """In the order of the list's page."""

    ordering = NEWEST_FIRST  # type: ignore[assignment]  # DRF takes a tuple, too


def _list(request: Request) -> Response:
    found = Run.objects.visible_to(request.user).select_related(*SHOWN)
    filters = RunFilter(request.query_params, found.defer(*LONG_COLUMNS).with_name_then())
    if not filters.is_valid():
        raise ValidationError(filters.errors)
    pages = _NewestFirst()
    page: list[Run] | None = pages.paginate_queryset(filters.qs, request)
    return pages.get_paginated_response(RunSummary(page, many=True).data)


@patient
@idempotent
def _start(request: Request) -> Response | StreamingHttpResponse:
    given = NewRun(data=request.data)
    given.is_valid(raise_exception=True)
    user, values = cast("User", request.user), given.validated_data
    if "conversation" in values:
        found = get_object_or_404(Conversation.objects.visible_to(user), uuid=values["conversation"])
        variables = values["variables"] or None
        run = services.say(actor=user, conversation=found, text=values["input"], variables=variables)
        return created(request, run)
    run = services.start_run(
        actor=user,
        target=_target(user, values),
        text=values["input"],
        variables=values["variables"],
        trigger=Trigger.API,
        department_id=_department(user, values),
    )
    return created(request, run)


def created(request: Request, run: Run) -> Response | StreamingHttpResponse:
    """The answer to a request that started a run: the run, or its events, live, when the client asks for them."""
    data = RunDetail(run).data
    headers = {"Location": data["links"]["self"]}
    return started(request, run, headers) or Response(data, status=201, headers=headers)


def _target(user: User, values: dict[str, Any]) -> Agent | Team:
    """What is to run. The serializer has seen that it is one thing."""
    if "team" in values:
        return get_object_or_404(Team.objects.visible_to(user), uuid=values["team"])
    return get_object_or_404(Agent.objects.visible_to(user), uuid=values["agent"])


def _department(user: User, values: dict[str, Any]) -> int | None:
    """Where the run is to belong: a department of the person."""
    if "department" not in values:
        return None
    found = Department.objects.filter(uuid=values["department"], pk__in=list(roles_of(user))).first()
    if found is None:
        raise ValidationError({"department": ["There is no such department, or you do not belong to it."]})
    return found.pk


@extend_schema(methods=["GET"], operation_id="runs_get", summary="Get one run, whole", responses=RunDetail)
@extend_schema(
    methods=["DELETE"],
    operation_id="runs_delete",
    summary="Delete a run that has ended, with its log and files",
    responses={204: OpenApiResponse()},
)
@api_view(["GET", "DELETE"])
def run_detail(request: Request, uuid: UUID) -> Response:
    """One run, whole."""
    if request.method == "DELETE":
        services.delete_run(actor=cast("User", request.user), run=visible(request, uuid))
        return Response(status=204)
    return Response(RunDetail(visible(request, uuid)).data)


@needs_scope(Scope.RUN)
@extend_schema(operation_id="runs_stop", request=None, responses={202: RunDetail})
@api_view(["POST"])
def cancel(request: Request, uuid: UUID) -> Response:
    """Stop a run; it ends within seconds."""
    services.stop_run(actor=cast("User", request.user), run=visible(request, uuid))
    return Response(RunDetail(visible(request, uuid)).data, status=202)


@needs_scope(Scope.RUN)
@extend_schema(operation_id="runs_repeat", parameters=[PREFER], request=RepeatRun, responses={201: RunDetail})
@api_view(["POST"])
@patient
@idempotent
def retry(request: Request, uuid: UUID) -> Response:
    """Run it again, in the same version or the current one."""
    given = RepeatRun(data=request.data)
    given.is_valid(raise_exception=True)
    values = given.validated_data
    run = services.repeat_run(
        actor=cast("User", request.user),
        run=visible(request, uuid),
        text=values.get("input"),
        variables=values.get("variables"),
        current=values["version"] == "current",
    )
    data = RunDetail(run).data
    return Response(data, status=201, headers={"Location": data["links"]["self"]})


@extend_schema(
    operation_id="runs_events",
    parameters=[_AFTER],
    responses={(200, JSON): EventPage, (200, NDJSON): EventOut, (200, EVENT_STREAM): OpenApiTypes.STR},
)
@api_view(["GET"])
@renderer_classes(STREAMS)
def events(request: Request, uuid: UUID) -> Response | StreamingHttpResponse:
    """Events that follow `after`: a page as JSON; as NDJSON or server-sent events, live until the run ends or waits for people."""
    run = visible(request, uuid)
    after = min(_after(request), run.last_seq)
    if live := followed(request, run, after):
        return live
    rows = read_after(run, after)
    last = rows[-1].seq if rows else after
    page = {
        "events": [{"seq": r.seq, "at": r.at, "type": r.type, "source": r.source, "data": r.data} for r in rows],
        "last_seq": last,
        "state": run.state,
        "complete": run.is_terminal and last >= run.last_seq,
    }
    return Response(EventPage(page).data)


def visible(request: Request, uuid: UUID) -> Run:
    """The run, or 404. What ran is read with it: it may be out of sight by now, and then it is None."""
    if not request.user.is_authenticated:
        raise NotAllowed
    found = Run.objects.visible_to(request.user).select_related(*SHOWN)
    return get_object_or_404(found, uuid=uuid)


def _after(request: Request) -> int:
    text: Any = request.query_params.get("after", "0")
    last_event = request.headers.get("Last-Event-ID", "")
    if wants(request, EVENT_STREAM) and last_event.isdigit():
        text = last_event
    # Python reads no number of more than some thousand digits.
    if not (text.isascii() and text.isdigit() and len(text) <= AFTER_DIGITS and int(text) <= AFTER_MAX):
        raise ValidationError({"after": ["This must be a sequence number: 0 or more."]})
    return int(text)


@extend_schema(operation_id="runs_log_text", responses={(200, "text/plain"): OpenApiTypes.STR})
@api_view(["GET"])
def log_text_file(request: Request, uuid: UUID) -> StreamingHttpResponse:
    """The log so far, as text."""
    return log_download(_taken(request, uuid, "log as text"), "txt")


@extend_schema(operation_id="runs_log_lines", responses={(200, NDJSON): OpenApiTypes.STR})
@api_view(["GET"])
def log_lines_file(request: Request, uuid: UUID) -> StreamingHttpResponse:
    """The log so far, an event a line."""
    return log_download(_taken(request, uuid, "log as events"), "jsonl")


@extend_schema(operation_id="runs_output_csv", responses={(200, "text/csv"): OpenApiTypes.STR})
@api_view(["GET"])
def output_csv(request: Request, uuid: UUID) -> HttpResponse:
    """The structured answer as CSV; 404 when the answer is free text."""
    run = visible(request, uuid)
    if run.structured is None:
        raise NotFound("This run has no structured answer.", code="no_structured_output")
    return csv_download(_taken(request, uuid, "data as CSV"))


def _taken(request: Request, uuid: UUID, what: str) -> Run:
    return services.note_download(actor=cast("User", request.user), run=visible(request, uuid), what=what)

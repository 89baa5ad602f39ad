"""The API's runs: start, follow, stop, repeat, take away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import django_filters
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import api_view, renderer_classes
from rest_framework.exceptions import ValidationError
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response

from accounts.idempotency import idempotent
from agents.models import Agent
from mindloom.web.api import Pages
from mindloom.web.errors import NotAllowed
from mindloom.web.schema import paged, query
from runs import services
from runs.models import Run, RunArtifact, State, Trigger
from runs.serializers import ArtifactOut, EventOut, EventPage, NewRun, RepeatRun, RunDetail, RunSummary
from runs.stream import read_after
from runs.stream.downloads import EVENT_STREAM, NDJSON, attachment, log_download, ndjson, server_sent
from runs.stream.watch import Reader, check_room, watch

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from uuid import UUID

    from rest_framework.request import Request
    from rest_framework_simplejwt.tokens import AccessToken

    from accounts.models import User
    from runs.stream.tails import Batch

AFTER_MAX = 2**62
JSON = "application/json"


class NdjsonRenderer(JSONRenderer):
    """Lets clients ask for a line an event; the view answers with the stream itself."""

    media_type = NDJSON
    format = "ndjson"


class EventStreamRenderer(JSONRenderer):
    """Lets clients ask for server-sent events; the view answers with the stream itself."""

    media_type = EVENT_STREAM
    format = "sse"


class RunFilter(django_filters.FilterSet):
    """Filters of the run list."""

    agent = django_filters.UUIDFilter("agent__uuid")
    state = django_filters.MultipleChoiceFilter(choices=State.choices)
    trigger = django_filters.ChoiceFilter(choices=Trigger.choices)
    queued_after = django_filters.IsoDateTimeFilter("queued_at", "gte")
    queued_before = django_filters.IsoDateTimeFilter("queued_at", "lt")

    class Meta:
        """Nothing beyond the filters above."""

        model = Run
        fields: tuple[str, ...] = ()


_AFTER = OpenApiParameter("after", OpenApiTypes.INT, description="Only events that follow this sequence number.")
STREAMS = [JSONRenderer, NdjsonRenderer, EventStreamRenderer]


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
    responses={(201, JSON): RunDetail, (201, NDJSON): EventOut},
)
@api_view(["GET", "POST"])
@renderer_classes(STREAMS)
def runs(request: Request) -> Response | StreamingHttpResponse:
    """List runs, newest first; or start one. With `Accept: application/x-ndjson` a start answers with its events, live."""
    return _start(request) if request.method == "POST" else _list(request)


def _list(request: Request) -> Response:
    found = Run.objects.visible_to(request.user).select_related("agent", "agent_version", "department", "started_by")
    filters = RunFilter(request.query_params, found.defer("spec", "input", "output", "structured"))
    if not filters.is_valid():
        raise ValidationError(filters.errors)
    pages = Pages()
    page: list[Run] | None = pages.paginate_queryset(filters.qs, request)
    return pages.get_paginated_response(RunSummary(page, many=True).data)


@idempotent
def _start(request: Request) -> Response | StreamingHttpResponse:
    given = NewRun(data=request.data)
    given.is_valid(raise_exception=True)
    user = cast("User", request.user)
    agent = get_object_or_404(Agent.objects.visible_to(user), uuid=given.validated_data["agent"])
    run = services.start_run(
        actor=user,
        target=agent,
        text=given.validated_data["input"],
        variables=given.validated_data["variables"],
        trigger=Trigger.API,
    )
    return created(request, run)


def created(request: Request, run: Run) -> Response | StreamingHttpResponse:
    """The answer to a request that started a run: the run, or its events, live, when the client asks for them."""
    data = RunDetail(run).data
    headers = {"Location": data["links"]["self"]}
    if _wants(request, NDJSON) or request.query_params.get("stream") == "1":
        live = ndjson(_watched(request, run, 0))
        return StreamingHttpResponse(live, status=201, content_type=NDJSON, headers=headers | _UNBUFFERED)
    return Response(data, status=201, headers=headers)


@extend_schema(operation_id="runs_get", responses=RunDetail)
@api_view(["GET"])
def run_detail(request: Request, uuid: UUID) -> Response:
    """One run, whole."""
    return Response(RunDetail(_visible(request, uuid)).data)


@extend_schema(operation_id="runs_stop", request=None, responses={202: RunDetail})
@api_view(["POST"])
def cancel(request: Request, uuid: UUID) -> Response:
    """Stop a run; it ends within seconds."""
    run = services.stop_run(actor=cast("User", request.user), run=_visible(request, uuid))
    return Response(RunDetail(run).data, status=202)


@extend_schema(operation_id="runs_repeat", request=RepeatRun, responses={201: RunDetail})
@api_view(["POST"])
@idempotent
def retry(request: Request, uuid: UUID) -> Response:
    """Run it again, in the same version or the current one."""
    given = RepeatRun(data=request.data)
    given.is_valid(raise_exception=True)
    values = given.validated_data
    run = services.repeat_run(
        actor=cast("User", request.user),
        run=_visible(request, uuid),
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
    """Events that follow `after`: a page as JSON; as NDJSON or server-sent events, live until the run ends."""
    run = _visible(request, uuid)
    after = _after(request)
    for media_type, form in ((NDJSON, ndjson), (EVENT_STREAM, server_sent)):
        if _wants(request, media_type):
            check_room(cast("User", request.user).pk)
            live = form(_watched(request, run, after))
            return StreamingHttpResponse(live, content_type=media_type, headers=_UNBUFFERED)
    rows = read_after(run, after)
    last = rows[-1].seq if rows else after
    page = {
        "events": [{"seq": r.seq, "at": r.at, "type": r.type, "source": r.source, "data": r.data} for r in rows],
        "last_seq": last,
        "state": run.state,
        "complete": run.is_terminal and last >= run.last_seq,
    }
    return Response(EventPage(page).data)


@extend_schema(operation_id="runs_artifacts", responses=ArtifactOut(many=True))
@api_view(["GET"])
def artifacts(request: Request, uuid: UUID) -> Response:
    """The run's files."""
    found = _visible(request, uuid).artifacts.select_related("run").order_by("id")
    return Response(ArtifactOut(found, many=True).data)


@extend_schema(operation_id="runs_artifact", responses={(200, "application/octet-stream"): OpenApiTypes.BINARY})
@api_view(["GET"])
def artifact(request: Request, uuid: UUID, artifact_uuid: UUID) -> HttpResponse:
    """One file, as it was saved."""
    found = RunArtifact.objects.visible_to(request.user).filter(run__uuid=uuid)
    return attachment(get_object_or_404(found, uuid=artifact_uuid))


_UNBUFFERED = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


def _visible(request: Request, uuid: UUID) -> Run:
    if not request.user.is_authenticated:
        raise NotAllowed
    found = Run.objects.visible_to(request.user).select_related("agent", "agent_version", "department", "started_by")
    return get_object_or_404(found, uuid=uuid)


def _watched(request: Request, run: Run, after: int) -> AsyncIterator[Batch | None]:
    session = getattr(request, "session", None)
    token = cast("AccessToken | None", request.auth)
    reader = Reader(token=token, session_key=session.session_key if session is not None else None)
    return watch(run, after, reader, cast("User", request.user).pk)


def _wants(request: Request, media_type: str) -> bool:
    return media_type in request.headers.get("Accept", "")


def _after(request: Request) -> int:
    text: Any = request.query_params.get("after", "0")
    last_event = request.headers.get("Last-Event-ID", "")
    if _wants(request, EVENT_STREAM) and last_event.isdigit():
        text = last_event
    if not (text.isascii() and text.isdigit() and int(text) <= AFTER_MAX):
        raise ValidationError({"after": ["This must be a sequence number: 0 or more."]})
    return int(text)


@extend_schema(operation_id="runs_log_text", responses={(200, "text/plain"): OpenApiTypes.STR})
@api_view(["GET"])
def log_text_file(request: Request, uuid: UUID) -> StreamingHttpResponse:
    """The log so far, as text."""
    return log_download(_visible(request, uuid), "txt")


@extend_schema(operation_id="runs_log_lines", responses={(200, NDJSON): OpenApiTypes.STR})
@api_view(["GET"])
def log_lines_file(request: Request, uuid: UUID) -> StreamingHttpResponse:
    """The log so far, an event a line."""
    return log_download(_visible(request, uuid), "jsonl")

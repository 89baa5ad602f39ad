"""Answers that go on: a run's events, live."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from django.http import StreamingHttpResponse
from rest_framework.renderers import JSONRenderer

from runs.stream.downloads import EVENT_STREAM, NDJSON, ndjson, server_sent
from runs.stream.watch import Reader, check_room, watch

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from rest_framework.request import Request
    from rest_framework_simplejwt.tokens import AccessToken

    from accounts.authentication import PersonalKey
    from accounts.models import User
    from runs.models import Run
    from runs.stream.tails import Batch

UNBUFFERED = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


class NdjsonRenderer(JSONRenderer):
    """Lets clients ask for a line an event; the view answers with the stream itself."""

    media_type = NDJSON
    format = "ndjson"


class EventStreamRenderer(JSONRenderer):
    """Lets clients ask for server-sent events; the view answers with the stream itself."""

    media_type = EVENT_STREAM
    format = "sse"


STREAMS = [JSONRenderer, NdjsonRenderer, EventStreamRenderer]


def started(request: Request, run: Run, headers: dict[str, str]) -> StreamingHttpResponse | None:
    """The events of a run that was just started, when the client wants them at once."""
    if not (wants(request, NDJSON) or request.query_params.get("stream") == "1"):
        return None
    live = ndjson(_watched(request, run, 0))
    return StreamingHttpResponse(live, status=201, content_type=NDJSON, headers=headers | UNBUFFERED)


def followed(request: Request, run: Run, after: int) -> StreamingHttpResponse | None:
    """The run's events that follow `after`, when the client wants them live."""
    for media_type, form in ((NDJSON, ndjson), (EVENT_STREAM, server_sent)):
        if wants(request, media_type):
            check_room(cast("User", request.user).pk)
            live = form(_watched(request, run, after))
            return StreamingHttpResponse(live, content_type=media_type, headers=UNBUFFERED)
    return None


def wants(request: Request, media_type: str) -> bool:
    """Whether the client asked for this kind of answer."""
    return media_type in request.headers.get("Accept", "")


def reader_of(request: Request) -> Reader:
    """Who follows a run with this request."""
    session = getattr(request, "session", None)
    token = cast("AccessToken | PersonalKey | None", request.auth)
    return Reader(token=token, session_key=session.session_key if session is not None else None)


def _watched(request: Request, run: Run, after: int) -> AsyncIterator[Batch | None]:
    """Until the run ends or waits for people: scripts come back when something was decided."""
    return watch(run, after, reader_of(request), cast("User", request.user).pk, until_waits=True)

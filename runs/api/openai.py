"""OpenAI's protocol for agents and teams: its clients talk with them as with models. docs/openai.md says how."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from django.http import HttpRequest, JsonResponse, StreamingHttpResponse
from django.views.decorators.csrf import csrf_exempt
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.idempotency import idempotent
from features.queries import check_on
from mindloom.web.api import problem
from mindloom.web.errors import NotFound
from mindloom.web.late import LateResponse
from runs import services
from runs.api.openai_answering import Answer, error_body
from runs.api.openai_asking import Asked, check_form, models_of, read, target_of
from runs.api.streams import UNBUFFERED, reader_of
from runs.models import Trigger
from runs.stream.downloads import EVENT_STREAM
from runs.stream.watch import check_room

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http.response import HttpResponseBase
    from rest_framework.request import Request

    from accounts.models import User

_KEPT = ("WWW-Authenticate", "Retry-After")
_NO_RETRY = {"x-should-retry": "false"}
"""OpenAI's clients ask again by themselves, after what would be the same again; another run costs money."""
_PARAMS = {"input": "messages"}
"""What a parameter of theirs is called with us."""


def shaped(error: Exception, context: dict[str, Any]) -> Response:
    """An exception as an error in OpenAI's shape."""
    known = problem(error, context)
    told = cast("dict[str, Any]", known.data)
    fields = {_PARAMS.get(name, name): " ".join(sentences) for name, sentences in told.get("fields", {}).items()}
    message = " ".join(f"{name}: {sentence}" if len(fields) > 1 else sentence for name, sentence in fields.items())
    body = error_body(known.status_code, message or told["detail"], told["code"], next(iter(fields), None))
    headers = {name: known[name] for name in _KEPT if name in known}
    if known.status_code not in {429, 503}:
        headers |= _NO_RETRY
    return Response(body, status=known.status_code, headers=headers)


class _AnyAccept(DefaultContentNegotiation):
    """Clients ask for event streams, or for nothing that we know, and read JSON all the same when something is wrong."""

    def select_renderer(self, request: Request, renderers: Any, format_suffix: Any = None) -> Any:
        return renderers[0], renderers[0].media_type


class OpenAIView(APIView):
    """What the views of this protocol share. They are not in our own API's schema."""

    schema = None
    content_negotiation_class = _AnyAccept

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Who asks is known first; then whether the protocol may be spoken."""
        super().initial(request, *args, **kwargs)
        check_on("openai_api")

    def get_exception_handler(self) -> Callable[..., Response]:
        """Errors in their shape."""
        return shaped


class Models(OpenAIView):
    """What may be run."""

    def get(self, request: Request) -> Response:
        """All of them."""
        return Response({"object": "list", "data": models_of(cast("User", request.user))})


class OneModel(OpenAIView):
    """One of them."""

    def get(self, request: Request, model: str) -> Response:
        """By its id or its alias."""
        user = cast("User", request.user)
        target = target_of(user, model)
        found = next((one for one in models_of(user) if one["id"].endswith(str(target.uuid))), None)
        if found is None:
            raise NotFound("You see it, but may not run it, or it is not published.", code="model_not_found")
        return Response(found)


class ChatCompletions(OpenAIView):
    """An answer, by a run."""

    def post(self, request: Request) -> HttpResponseBase:
        """Start the run; answer with its end, or with pieces while it is written."""
        asked = read(request.data)
        check_room(cast("User", request.user).pk)
        started = _start(request, asked)
        run = started.data or {}
        if "run" not in run:  # repeated by somebody who sees less than before
            raise NotFound
        answer = Answer(asked, UUID(run["run"]), run["created"], reader_of(request))
        headers = {"x-mindloom-run": run["run"]}
        if "Idempotency-Replayed" in started:
            headers["Idempotency-Replayed"] = "true"
        if asked.stream:
            return StreamingHttpResponse(answer.pieces(), content_type=EVENT_STREAM, headers=headers | UNBUFFERED)
        return LateResponse(answer.settle, content_type="application/json", headers=headers | _NO_RETRY)


@idempotent
def _start(request: Request, asked: Asked) -> Response:
    """Start the run, once for each `Idempotency-Key`."""
    user = cast("User", request.user)
    target = target_of(user, asked.model)
    check_form(asked, target)
    run = services.start_run(actor=user, target=target, text=asked.text, variables=asked.variables, trigger=Trigger.API)
    return Response({"run": str(run.uuid), "created": int(run.queued_at.timestamp())})


@csrf_exempt
def nothing_here(request: HttpRequest) -> JsonResponse:
    """The rest of their protocol."""
    message = "There is no such address here. Mindloom answers /v1/models and /v1/chat/completions."
    return JsonResponse(error_body(404, message, "unknown_url"), status=404, headers=_NO_RETRY)

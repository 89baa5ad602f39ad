"""What is open in one's own name, for scripts that clean up. No personal token opens these doors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.decorators import api_view
from rest_framework.response import Response

from accounts import services
from accounts.authentication import NEVER, caller, needs_scope
from accounts.queries import browser_sessions_of, personal_tokens_of
from accounts.serializers.own import EndSessions, MadeToken, NewToken, Session, Token
from mindloom.web.api import Pages
from mindloom.web.errors import NotFound
from mindloom.web.schema import PAGING, paged

if TYPE_CHECKING:
    from uuid import UUID

    from rest_framework.request import Request


class SessionPages(Pages):
    """The one used last first."""

    ordering = ("-last_used_at", "session_key")  # type: ignore[assignment]  # DRF takes a tuple, too


@needs_scope(NEVER)
@extend_schema(operation_id="auth_sessions_list", parameters=PAGING, responses=paged(Session))
@api_view(["GET"])
def sessions(request: Request) -> Response:
    """List your browsers that are signed in."""
    pages = SessionPages()
    page = pages.paginate_queryset(browser_sessions_of(caller(request)), request)
    return pages.get_paginated_response(Session(page, many=True, context={"request": request}).data)


@needs_scope(NEVER)
@extend_schema(operation_id="auth_session_end", responses={204: OpenApiResponse()})
@api_view(["DELETE"])
def session(request: Request, uuid: UUID) -> Response:
    """End a browser's session."""
    if not services.end_session(actor=caller(request), uuid=uuid):
        raise NotFound
    return Response(status=204)


@needs_scope(NEVER)
@extend_schema(operation_id="auth_sessions_end", request=EndSessions, responses={204: OpenApiResponse()})
@api_view(["POST"])
def sessions_end(request: Request) -> Response:
    """End everything that is open in your name: browsers and sign-ins at the API, this one too. Personal tokens stay."""
    EndSessions(data=request.data).is_valid(raise_exception=True)
    services.end_everything(actor=caller(request))
    return Response(status=204)


@needs_scope(NEVER)
@extend_schema(
    methods=["GET"],
    operation_id="auth_tokens_list",
    summary="List your personal tokens",
    parameters=PAGING,
    responses=paged(Token),
)
@extend_schema(
    methods=["POST"],
    operation_id="auth_tokens_make",
    summary="Make a personal token",
    request=NewToken,
    responses={201: MadeToken},
)
@api_view(["GET", "POST"])
def tokens(request: Request) -> Response:
    """List your personal tokens, or make one. Its text stands in the answer and nowhere else."""
    if request.method == "POST":
        given = NewToken(data=request.data)
        given.is_valid(raise_exception=True)
        made, text = services.make_token(actor=caller(request), **given.validated_data)
        return Response({**Token(made).data, "token": text}, status=201, headers={"Cache-Control": "no-store"})
    pages = Pages()
    page = pages.paginate_queryset(personal_tokens_of(caller(request)), request)
    return pages.get_paginated_response(Token(page, many=True).data)


@needs_scope(NEVER)
@extend_schema(operation_id="auth_token_revoke", responses={204: OpenApiResponse()})
@api_view(["DELETE"])
def token(request: Request, uuid: UUID) -> Response:
    """Revoke a personal token."""
    if not services.revoke_token(actor=caller(request), uuid=uuid):
        raise NotFound
    return Response(status=204)

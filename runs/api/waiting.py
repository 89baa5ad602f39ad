"""`Prefer: wait=N` (RFC 7240): who starts a run may have the answer when the run has ended, or waits for people."""

from __future__ import annotations

import asyncio
import re
from contextlib import aclosing, suppress
from functools import wraps
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from channels.db import database_sync_to_async
from django.db import DatabaseError
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response

from mindloom.web.late import LateResponse
from runs.api.streams import reader_of
from runs.models import Run
from runs.serializers import SHOWN, RunDetail
from runs.stream.watch import Gone, Reader, TooManyReaders, check_room, watch

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http.response import HttpResponseBase
    from rest_framework.request import Request

    from accounts.models import User

LONGEST_SECONDS = 60
_QUOTED = r'"(?:[^"\\]|\\.)*"'
_ONE = re.compile(rf'(?:{_QUOTED}|[^",])+')
"""One preference of the header, with its parameters; a comma inside quotes does not end it."""
_WAIT = re.compile(r'\s*wait\s*=\s*("?)(\d{1,9})\1\s*(?:;.*)?', re.IGNORECASE | re.ASCII | re.DOTALL)
_IS_WAIT = re.compile(r"\s*wait\s*(?:[=;]|$)", re.IGNORECASE)

PREFER = OpenApiParameter(
    "Prefer",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description=(
        f"`wait=30` answers when the run has ended or waits for people, or after 30 seconds, with the run as it then is; "
        f"at most {LONGEST_SECONDS}. `Preference-Applied` says for how long."
    ),
)


def seconds_of(header: str) -> int:
    """For how long a `Prefer` header wants to wait, cut to what we do; 0 when it does not say so, or not rightly."""
    # Of a preference that stands there twice, the first counts.
    first = next((one for one in _ONE.findall(header) if _IS_WAIT.match(one)), "")
    found = _WAIT.fullmatch(first)
    return min(int(found[2]), LONGEST_SECONDS) if found else 0


def patient(view: Callable[..., Any]) -> Callable[..., HttpResponseBase]:
    """Make a view that starts a run, and answers with it, wait as the client prefers. Goes above `@idempotent`.

    A repeated request waits for the same run. No preference is an error: who waits for too many runs already, and who asks for
    something we do not understand, is answered at once.
    """

    @wraps(view)
    def wrapped(request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = cast("HttpResponseBase", view(request, *args, **kwargs))
        seconds = seconds_of(request.headers.get("Prefer", ""))
        if not (seconds and isinstance(response, Response) and response.status_code == 201):
            return response
        uuid = (response.data or {}).get("uuid")
        if uuid is None:  # a repeated request of somebody who sees less than before
            return response
        try:
            check_room(cast("User", request.user).pk)
        except TooManyReaders:
            return response
        return _late(response, UUID(str(uuid)), reader_of(request), seconds)

    return wrapped


def _late(response: Response, uuid: UUID, reader: Reader, seconds: int) -> LateResponse:
    async def settle(late: LateResponse) -> None:
        # Whoever may not see the run any more, or asks while the database is away, gets it as it began.
        with suppress(Gone, DatabaseError):
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await settled(uuid, reader)
            late.content = await database_sync_to_async(_rendered)(uuid, reader)

    kept = {name: response[name] for name in ("Location", "Idempotency-Replayed") if name in response}
    headers = {"Content-Type": "application/json", "Preference-Applied": f"wait={seconds}", **kept}
    return LateResponse(settle, JSONRenderer().render(response.data), status=201, headers=headers)


async def settled(uuid: UUID, reader: Reader) -> None:
    """Return when the run has ended or waits for people. Raises `Gone` when the reader may not see it (any more)."""
    person_id, run = await database_sync_to_async(reader.run)(uuid)
    async with aclosing(watch(run, run.last_seq, reader, person_id, until_waits=True)) as batches:  # type: ignore[type-var]
        async for _ in batches:
            pass


def _rendered(uuid: UUID, reader: Reader) -> bytes:
    with reader.seeing(uuid) as (person, _):
        run = Run.objects.visible_to(person).select_related(*SHOWN).get(uuid=uuid)
        rendered: bytes = JSONRenderer().render(RunDetail(run).data)
        return rendered

"""Repeated requests get the first answer: the `Idempotency-Key` header of requests that create something.

The key is taken in a row of its own before the work starts, so two requests at once cannot both do it. Only answers
below 400 are remembered: a refused or failed attempt changed nothing, and its key is free for the next one.
"""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

from django.db import IntegrityError, transaction
from django.http import HttpResponseBase
from django.utils import timezone
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response

from accounts.models import RememberedAnswer, User
from mindloom import wall
from mindloom.web.api import TryAgain
from mindloom.web.errors import Conflict, Invalid

if TYPE_CHECKING:
    from collections.abc import Callable

    from rest_framework.request import Request

KEY_LENGTH = 200
ABANDONED_AFTER = timedelta(minutes=2)
"""A first request that is under way for longer has died with its process; its key is free again."""

Answer = TypeVar("Answer", bound=HttpResponseBase)


def idempotent(view: Callable[..., Answer]) -> Callable[..., Answer | Response]:
    """Make an API view (or the part of it that creates) answer a repeated request as it answered the first.

    Goes below `@api_view`. Without the header, and for strangers, the view is called as it is. A repeated request gets
    the status, body and Location of the first, with `Idempotency-Replayed: true`; a first answer that was a stream is
    repeated as `{"location": …}`, and so is one whose person has lost a department since. Raises `Invalid` for a bad key and `Conflict` for one used for another request
    (`idempotency_key_reused`) or whose first request is still under way (`idempotency_in_progress`, with Retry-After).
    """

    @wraps(view)
    def wrapped(request: Request, *args: Any, **kwargs: Any) -> Answer | Response:
        key = request.headers.get("Idempotency-Key")
        if key is None or not isinstance(request.user, User):
            return view(request, *args, **kwargs)
        _check(key)
        taken, is_first = _take(request.user, key, _digest(request))
        if not is_first:
            return _replayed(taken)
        try:
            response = view(request, *args, **kwargs)
        except BaseException:
            _free(taken)
            raise
        _remember(taken, response)
        return response

    return wrapped


def _check(key: str) -> None:
    if not (1 <= len(key) <= KEY_LENGTH and key.isascii() and key.isprintable()):
        message = f"Idempotency-Key must have 1 to {KEY_LENGTH} printable ASCII characters."
        raise Invalid(message, code="idempotency_key_invalid")


def _digest(request: Request) -> str:
    """SHA-256 over what the request asks for; the order of a JSON object's names does not matter."""
    digest = hashlib.sha256(f"{request.method} {request.get_full_path()}\n".encode())
    data: Any = request.data
    fields = {name: data[name] for name in data if name not in request.FILES} if request.FILES else data
    digest.update(json.dumps(fields, sort_keys=True, default=str).encode("utf-8", "surrogatepass"))
    for name, files in sorted(request.FILES.lists()):
        for file in files:
            digest.update(json.dumps([name, file.name, file.size]).encode())
            for chunk in file.chunks():
                digest.update(chunk)
            file.seek(0)
    return digest.hexdigest()


def _take(user: User, key: str, digest: str) -> tuple[RememberedAnswer, bool]:
    """The row of this key, and whether it is ours to fill."""
    for _ in range(3):
        try:
            with transaction.atomic():
                return RememberedAnswer.objects.create(user=user, key=key, request_digest=digest), True
        except IntegrityError:
            known = RememberedAnswer.objects.filter(user=user, key=key).first()
        if known is None:
            continue  # freed in this moment
        if known.status_code is None and _take_over(known, digest):
            return known, True
        if known.request_digest != digest:
            message = "This Idempotency-Key was used for another request. Use a new key for each thing to create."
            raise Conflict(message, code="idempotency_key_reused")
        if known.status_code is not None:
            return known, False
        break
    message = "The first request with this Idempotency-Key is still under way. Ask again in a second."
    raise TryAgain(message, code="idempotency_in_progress", seconds=1)


def _take_over(known: RememberedAnswer, digest: str) -> bool:
    """Whether the row was abandoned and is now ours; of several that try at once, one succeeds."""
    now = timezone.now()
    if known.created_at > now - ABANDONED_AFTER:
        return False
    abandoned = RememberedAnswer.objects.filter(pk=known.pk, status_code=None, created_at=known.created_at)
    if not abandoned.update(created_at=now, request_digest=digest):
        return False
    known.refresh_from_db()
    return True


def _free(taken: RememberedAnswer) -> None:
    RememberedAnswer.objects.filter(pk=taken.pk, created_at=taken.created_at).delete()


def _remember(taken: RememberedAnswer, response: HttpResponseBase) -> None:
    if response.status_code >= 400:
        _free(taken)
        return
    location = response.headers.get("Location", "")
    body: Any = {"location": location}
    if isinstance(response, Response):
        data = getattr(response, "remembered", response.data)  # without what is shown once only
        body = json.loads(JSONRenderer().render(data)) if data is not None else None
    RememberedAnswer.objects.filter(pk=taken.pk, created_at=taken.created_at).update(
        status_code=response.status_code,
        body=body,
        location=location,
        departments=sorted(wall.current().departments),
    )


def _replayed(known: RememberedAnswer) -> Response:
    headers = {"Idempotency-Replayed": "true"}
    if known.location:
        headers["Location"] = known.location
    sees_all_of_then = set(known.departments) <= wall.current().departments
    body = known.body if sees_all_of_then else {"location": known.location}
    return Response(body, status=known.status_code, headers=headers)

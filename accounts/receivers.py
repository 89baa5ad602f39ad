"""Sign-ins through any door (page, API, Django admin) leave a trace, by the signals of Django's authentication."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

from django.contrib.auth import SESSION_KEY, signals
from django.utils import timezone

from accounts.backends import attempted_address, attempted_from
from accounts.backends.sessions import DOOR
from accounts.models import User
from accounts.services.passwords import Claimed
from accounts.services.sessions import DEVICE_LENGTH, note_ended
from audit.services import record

if TYPE_CHECKING:
    from django.http import HttpRequest


def connect() -> None:
    """Listen; called once."""
    signals.user_logged_in.connect(_signed_in, dispatch_uid="accounts.signed_in")
    signals.user_logged_out.connect(_signed_out, dispatch_uid="accounts.signed_out")
    signals.user_login_failed.connect(_failed, dispatch_uid="accounts.failed")


def _signed_in(*, user: User, request: HttpRequest | None = None, **_: Any) -> None:
    session = getattr(request, "session", None)
    if request is not None and session is not None and SESSION_KEY in session:
        session[DOOR] = {
            "uuid": str(uuid4()),
            "device": _plain(request.META.get("HTTP_USER_AGENT", ""))[:DEVICE_LENGTH],
            "address": attempted_from(request),
            "at": timezone.now().isoformat(),
        }
    record(actor=user, action="signin.completed", target=user)


def _signed_out(*, user: User | None, **_: Any) -> None:
    if user is not None:
        note_ended(user)
        record(actor=user, action="signout.completed", target=user)


def _plain(text: str) -> str:
    return "".join(letter for letter in text if letter.isprintable())


def _failed(*, credentials: dict[str, Any], request: HttpRequest | None = None, **_: Any) -> None:
    if request is None:
        return
    locked = bool(getattr(request, "axes_locked_out", False))
    if locked and getattr(request, "axes_failures_since_start", None) is None:
        return  # refused without a look at the password; the try that led to the pause is noted
    record(actor=Claimed(attempted_address(request, credentials)), action="signin.failed", locked=locked)

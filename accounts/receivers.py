"""Sign-ins through any door (page, API, Django admin) leave a trace, by the signals of Django's authentication."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.auth import signals

from accounts.backends import attempted_address
from accounts.models import User
from accounts.services.passwords import Claimed
from audit.services import record

if TYPE_CHECKING:
    from django.http import HttpRequest


def connect() -> None:
    """Listen; called once."""
    signals.user_logged_in.connect(_signed_in, dispatch_uid="accounts.signed_in")
    signals.user_logged_out.connect(_signed_out, dispatch_uid="accounts.signed_out")
    signals.user_login_failed.connect(_failed, dispatch_uid="accounts.failed")


def _signed_in(*, user: User, **_: Any) -> None:
    record(actor=user, action="signin.completed", target=user)


def _signed_out(*, user: User | None, **_: Any) -> None:
    if user is not None:
        record(actor=user, action="signout.completed", target=user)


def _failed(*, credentials: dict[str, Any], request: HttpRequest | None = None, **_: Any) -> None:
    if request is None:
        return
    locked = bool(getattr(request, "axes_locked_out", False))
    if locked and getattr(request, "axes_failures_since_start", None) is None:
        return  # refused without a look at the password; the try that led to the pause is noted
    record(actor=Claimed(attempted_address(request, credentials)), action="signin.failed", locked=locked)

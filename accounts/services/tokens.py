"""API tokens: short access tokens, and refresh tokens that are used once.

Each carries a stamp of the password it was made under, so a new password ends them all, as it ends sessions. The
refresh token itself is kept nowhere, only its identity.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.crypto import constant_time_compare, salted_hmac
from rest_framework_simplejwt.exceptions import ExpiredTokenError, TokenError
from rest_framework_simplejwt.token_blacklist.models import OutstandingToken
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken
from rest_framework_simplejwt.utils import datetime_from_epoch

from accounts.models import User
from audit.services import record
from mindloom.web.errors import MindloomError

if TYPE_CHECKING:
    from rest_framework_simplejwt.tokens import Token

STAMP = "stamp"


class TokenRefused(MindloomError):
    """The token is not valid any more. Sign in again."""

    code = "token_invalid"
    status = 401


def issue_tokens(*, actor: User) -> dict[str, Any]:
    """A new access and refresh token for a person who has just proved who they are; `expires_in` is in seconds."""
    refresh = RefreshToken()
    refresh["sub"] = str(actor.uuid)
    refresh[STAMP] = password_stamp(actor)
    OutstandingToken.objects.create(
        user=actor,
        jti=refresh["jti"],
        token="",
        created_at=refresh.current_time,
        expires_at=datetime_from_epoch(refresh["exp"]),
    )
    return {
        "access": str(refresh.access_token),
        "refresh": str(refresh),
        "token_type": "Bearer",
        "expires_in": int(AccessToken.lifetime.total_seconds()),
    }


def refresh_tokens(*, token: str) -> dict[str, Any]:
    """New tokens for a refresh token, which is used up. Raises `TokenRefused` (`token_expired` or `token_invalid`)."""
    refresh, user = _read(token)
    with transaction.atomic():
        _use_up(refresh)
        return issue_tokens(actor=user)


def revoke_tokens(*, token: str) -> None:
    """End what a refresh token stands for. Raises `TokenRefused` for one that is not valid."""
    refresh, user = _read(token)
    _use_up(refresh)
    record(actor=user, action="signout.completed", target=user, by="token")


def password_stamp(user: User) -> str:
    """Changes whenever the password does, or all tokens are ended, and says nothing about either."""
    secret = f"{user.password}:{user.sign_in_epoch}" if user.sign_in_epoch else user.password
    return salted_hmac("accounts.tokens", secret, algorithm="sha256").hexdigest()[:32]


def person_of(token: Token) -> User:
    """Whose a verified token is. Raises `TokenRefused` when they may not sign in or have a new password."""
    try:
        user = User.objects.filter(uuid=token.get("sub"), is_active=True).first()
    except (ValidationError, ValueError):
        user = None
    if user is None or not constant_time_compare(str(token.get(STAMP, "")), password_stamp(user)):
        raise TokenRefused
    return user


def _read(token: str) -> tuple[RefreshToken, User]:
    try:
        refresh = RefreshToken(token)  # type: ignore[arg-type]
    except ExpiredTokenError:
        raise TokenRefused("This token has expired. Sign in again.", code="token_expired") from None
    except (TokenError, KeyError):
        raise TokenRefused from None
    return refresh, person_of(refresh)


def _use_up(refresh: RefreshToken) -> None:
    # Of two that come at once, the database lets one in.
    made: Any = refresh.blacklist()  # a pair, whatever its annotation says: the row, and whether it is new
    if not made[1]:
        raise TokenRefused

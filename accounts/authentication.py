"""Who an API request comes from, and which departments it may see."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth import get_user
from django.core.cache import cache
from django.http import HttpRequest
from redis.exceptions import RedisError
from rest_framework import authentication, exceptions
from rest_framework_simplejwt.authentication import JWTAuthentication
from rest_framework_simplejwt.exceptions import ExpiredTokenError, TokenError
from rest_framework_simplejwt.tokens import AccessToken

from accounts.models import User
from accounts.queries import roles_of
from accounts.services.tokens import TokenRefused, person_of
from audit.services import record
from mindloom import wall

if TYPE_CHECKING:
    from rest_framework.request import Request


class NoValidToken(exceptions.AuthenticationFailed):
    """A 401 whose code says whether to refresh (`token_expired`) or to sign in again (`token_invalid`)."""

    def __init__(self, detail: str, code: str = "token_invalid") -> None:
        super().__init__()
        self.detail = {"detail": detail, "code": code}  # type: ignore[dict-item]


class TokenAuthentication(JWTAuthentication):
    """A JWT access token. The request sees all departments of its person, until `scope_middleware` ends it."""

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        """The person and the token, or None when the request carries none. Raises `NoValidToken` for a bad one."""
        header = self.get_header(request)
        parts = header.split() if header else []
        if not parts or parts[0].lower() != b"bearer":
            return None
        if len(parts) != 2:
            raise NoValidToken("Send the token as: Authorization: Bearer <token>.")
        token = read_token(parts[1])
        try:
            user = person_of(token)
        except TokenRefused as error:
            raise NoValidToken(error.message, error.code) from None
        _enter(user, token["jti"])
        return user, token


class SessionAuthentication(authentication.SessionAuthentication):
    """The browser's session, for pages and the API's documentation; scoped to all the person's departments."""

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        """The signed-in person, or None. Checks the CSRF token."""
        found = super().authenticate(request)
        if found is not None:
            _enter(found[0], request.session.session_key or "")
        return found

    def authenticate_header(self, request: Request) -> str:
        """Makes an unknown caller's answer a 401 rather than a 403."""
        return 'Bearer realm="api"'


def read_token(raw: bytes) -> AccessToken:
    """The access token, with its signature, kind and time checked. Raises `NoValidToken`."""
    try:
        return AccessToken(raw)  # type: ignore[arg-type]
    except ExpiredTokenError:
        raise NoValidToken("This access token has expired. Refresh it.", "token_expired") from None
    except (TokenError, KeyError):
        raise NoValidToken("This is no valid access token. Sign in again.") from None


def person_behind(token: AccessToken | None, session_key: str | None) -> User | None:
    """Whose access token or, without one, whose session this is at this moment; None when it has ended.

    For connections that stay open: running out, signing out, a new password and deactivation end both.
    """
    if token is not None:
        try:
            token.check_exp()
            return person_of(token)
        except (TokenError, TokenRefused):
            return None
    if not session_key:
        return None
    request = HttpRequest()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(session_key)
    user = get_user(request)
    return user if isinstance(user, User) else None


def _enter(user: User, identity: str) -> None:
    wall.enter(wall.Scope(departments=frozenset(roles_of(user))))
    if user.is_administrator and _is_first(identity):
        record(actor=user, action="api.opened", scope="all departments")


def _is_first(identity: str) -> bool:
    """Administrators see all departments; one trace for each token, or for each session and quarter of an hour."""
    seconds = int(AccessToken.lifetime.total_seconds())
    try:
        return cache.add(f"api-opened:{identity}", 1, seconds)
    except RedisError:
        return True

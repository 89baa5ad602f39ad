"""Who an API request comes from, and which departments it may see."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar, cast

from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.auth.models import AnonymousUser
from django.core.cache import cache
from django.http import HttpRequest
from redis.exceptions import RedisError
from rest_framework import authentication, exceptions
from rest_framework_simplejwt.authentication import JWTAuthentication
from rest_framework_simplejwt.exceptions import ExpiredTokenError, TokenError
from rest_framework_simplejwt.tokens import AccessToken

from accounts.models import Scope, User
from accounts.queries import lacks_second_factor, roles_of
from accounts.services.factors import SecondFactorMissing
from accounts.services.personal_tokens import PREFIX, digest_of, token_with
from accounts.services.tokens import TokenRefused, person_of
from audit.services import record
from mindloom import wall
from mindloom.web.errors import MindloomError

if TYPE_CHECKING:
    from collections.abc import Callable

    from rest_framework.request import Request


View = TypeVar("View")
SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
NEVER = "never"
"""The scope of what no personal token opens: whoever holds one must not get more, or longer, than it gives."""


class BeyondScope(MindloomError):
    """Your token may not do this. Make one whose scope covers it, on your profile."""

    code = "token_scope"
    status = 403


@dataclass(frozen=True)
class PersonalKey:
    """A personal token as it was sent, not looked up yet."""

    digest: str


def needs_scope(scope: str) -> Callable[[View], View]:
    """Decorate an API view (outermost): what a personal token needs for its writes, and with `NEVER` for its reads too.

    Without it every request that is no read needs "write".
    """

    def mark(view: View) -> View:
        view.token_scope = scope  # type: ignore[attr-defined]
        return view

    return mark


class NoValidToken(exceptions.AuthenticationFailed):
    """A 401 whose code says whether to refresh (`token_expired`) or to sign in again (`token_invalid`)."""

    def __init__(self, detail: str, code: str = "token_invalid") -> None:
        super().__init__()
        self.detail = {"detail": detail, "code": code}  # type: ignore[dict-item]


def caller(request: Request) -> User:
    """Whose request it is, of a view that refuses strangers."""
    return cast("User", request.user)


class TokenAuthentication(JWTAuthentication):
    """A JWT access token, or a personal token within its scope. The request sees all departments of its person, until `scope_middleware` ends it."""

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        """The person and the token, or None when the request carries none. Raises `NoValidToken` for a bad one."""
        header = self.get_header(request)
        parts = header.split() if header else []
        if not parts or parts[0].lower() != b"bearer":
            return None
        if len(parts) != 2:
            raise NoValidToken("Send the token as: Authorization: Bearer <token>.")
        token = read_token(parts[1])
        if isinstance(token, PersonalKey):
            return self._by_personal_token(request, token)
        try:
            user = person_of(token)
        except TokenRefused as error:
            raise NoValidToken(error.message, error.code) from None
        if lacks_second_factor(user):
            raise SecondFactorMissing
        _enter(user, token["jti"])
        return user, token

    def _by_personal_token(self, request: Request, key: PersonalKey) -> tuple[Any, Any]:
        found = token_with(key.digest)
        if found is None:
            raise NoValidToken("This personal token was revoked, has expired, or never was one. Make a new one.")
        wanted = _scope_of(request)
        if wanted not in found.scopes:
            raise BeyondScope(None if wanted == NEVER else f"Your token “{found.name}” lacks the scope “{wanted}”.")
        if lacks_second_factor(found.user):
            raise SecondFactorMissing
        _enter(found.user, str(found.uuid))
        return found.user, key


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


def _scope_of(request: Request) -> str:
    match = request._request.resolver_match  # noqa: SLF001 -- Django's own request knows its route
    marked = getattr(match.func, "token_scope", None) if match is not None else NEVER
    if marked == NEVER:
        return NEVER
    return str(Scope.READ if request.method in SAFE_METHODS else marked or Scope.WRITE)


def read_token(raw: bytes) -> AccessToken | PersonalKey:
    """The access token, with its signature, kind and time checked, or what a personal token is looked up by.

    Raises `NoValidToken`.
    """
    if raw.startswith(PREFIX.encode()):
        return PersonalKey(digest_of(raw[:200].decode("latin-1")))
    try:
        return AccessToken(raw)  # type: ignore[arg-type]
    except ExpiredTokenError:
        raise NoValidToken("This access token has expired. Refresh it.", "token_expired") from None
    except (TokenError, KeyError):
        raise NoValidToken("This is no valid access token. Sign in again.") from None


def person_behind(token: AccessToken | PersonalKey | None, session_key: str | None) -> User | None:
    """Whose access token or, without one, whose session this is at this moment; None when it has ended.

    For connections that stay open: running out, revoking, signing out, a new password and deactivation end both, and so does a second
    factor that is asked for and not there.
    """
    user = _person_behind(token, session_key)
    return None if lacks_second_factor(user or AnonymousUser()) else user


def _person_behind(token: AccessToken | PersonalKey | None, session_key: str | None) -> User | None:
    if isinstance(token, PersonalKey):
        found = token_with(token.digest)
        return found.user if found is not None and Scope.READ in found.scopes else None
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

"""Who an API request comes from, and which departments it may see."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rest_framework import authentication
from rest_framework_simplejwt.authentication import JWTAuthentication

from accounts.queries import roles_of
from mindloom import wall

if TYPE_CHECKING:
    from rest_framework.request import Request


class TokenAuthentication(JWTAuthentication):
    """A JWT access token. The request sees all departments of its person, until `scope_middleware` ends it."""

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        """The person and the token, or None when the request carries none. Raises for a bad one."""
        found = super().authenticate(request)
        if found is not None:
            wall.enter(wall.Scope(departments=frozenset(roles_of(found[0]))))
        return found


class SessionAuthentication(authentication.SessionAuthentication):
    """The browser's session, so that pages and the API's documentation can use it; scoped to all the person's departments."""

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        """The signed-in person, or None. Checks the CSRF token."""
        found = super().authenticate(request)
        if found is not None:
            wall.enter(wall.Scope(departments=frozenset(roles_of(found[0]))))
        return found

    def authenticate_header(self, request: Request) -> str:
        """Makes an unknown caller's answer a 401 rather than a 403."""
        return 'Bearer realm="api"'

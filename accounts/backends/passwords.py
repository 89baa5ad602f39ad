"""Sign-in by e-mail address."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.http import HttpRequest

from accounts.models import User
from accounts.services.factors import use_code


class EmailBackend(ModelBackend):
    """Django's own checks, with the address compared without case (`UserManager.get_by_natural_key`)."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> User | None:
        """The person, or None; takes as long for unknown addresses as for known ones."""
        found = super().authenticate(request, username=username or kwargs.get("email"), password=password)
        return found if isinstance(found, User) else None


class SecondFactorBackend(ModelBackend):
    """The second door, behind the password: a code of the authenticator app, or a recovery code.

    As a backend it counts wrong tries, and pauses after too many, together with those of the password.
    """

    def authenticate(self, request: HttpRequest | None, email: str, code: str) -> User | None:  # type: ignore[override]
        """The person, when the code is theirs and was not used before."""
        person = User.objects.by_address(email)
        if person is None or not person.is_active or person.second_factor_at is None:
            return None
        return person if use_code(person=person, code=code) else None


def attempted_address(request: HttpRequest, credentials: dict[str, Any] | None = None) -> str:
    """Whose account a sign-in was tried for, so that attempts are counted per account however the address was typed."""
    given = credentials or {}
    typed = (
        given.get("email") or given.get("username") or request.POST.get("email") or request.POST.get("username") or ""
    )
    return str(typed).strip().lower().replace("\x00", "")[:254]


def attempted_from(request: HttpRequest) -> str | None:
    """The address of the connection; headers that anybody can send do not count."""
    return request.META.get("REMOTE_ADDR") or None

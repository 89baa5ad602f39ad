"""Sign-in by e-mail address."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.http import HttpRequest

from accounts.models import User


class EmailBackend(ModelBackend):
    """Django's own checks, with the address compared without case (`UserManager.get_by_natural_key`)."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> User | None:
        """The person, or None; takes as long for unknown addresses as for known ones."""
        found = super().authenticate(request, username=username or kwargs.get("email"), password=password)
        return found if isinstance(found, User) else None

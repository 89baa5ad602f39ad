"""Puts each request inside the wall."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings

from accounts.queries import departments_of
from audit.services import record, remote_address
from mindloom import wall

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponse

    from accounts.models import Department


def current_department(request: HttpRequest) -> Department | None:
    """The department the person works in: the one chosen in this session, else the first by name."""
    choices = list(departments_of(request.user))
    chosen = request.session.get("department")
    return next((one for one in choices if one.pk == chosen), choices[0] if choices else None)


def scope_middleware(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Give the request `department` and the database that department's scope.

    API requests with a token get theirs when the token is read; the Django admin, for administrators only, sees everything.
    """
    admin_prefix = f"/{settings.ADMIN_PATH}/"

    def middleware(request: HttpRequest) -> HttpResponse:
        remote = remote_address.set(request.META.get("REMOTE_ADDR"))
        try:
            with wall.scoped(wall.NOTHING):
                if not request.user.is_authenticated:
                    request.department = None  # type: ignore[attr-defined]
                    return get_response(request)
                department = request.department = current_department(request)  # type: ignore[attr-defined]
                if request.path.startswith(admin_prefix) and request.user.is_administrator:
                    record(actor=request.user, action="admin.opened", path=request.path, method=request.method)
                    with wall.system("Django admin: administrators see all departments"):
                        return get_response(request)
                with wall.tenant([department.pk] if department else []):
                    return get_response(request)
        finally:
            remote_address.reset(remote)

    return middleware

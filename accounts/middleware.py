"""Puts each request inside the wall."""

from __future__ import annotations

import zoneinfo
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import OperationalError
from django.http import HttpRequest
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone

from accounts.queries import departments_of, lacks_second_factor, memberships_of
from accounts.services import switch_department
from accounts.services.factors import SecondFactorMissing
from accounts.services.sessions import note_use
from audit.services import door, record, remote_address, user_agent
from mindloom import wall
from mindloom.web.api import plain_problem
from mindloom.web.errors import AWAY, database_away

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpResponse
    from django_htmx.middleware import HtmxDetails

    from accounts.models import Department, User

# The stock admin's scripts write markup; it keeps the rest of the policy.
_ADMIN_POLICY = {"require-trusted-types-for": None, "trusted-types": None}


class Request(HttpRequest):
    """A signed-in person's request, as the middleware hands it to views."""

    user: User  # type: ignore[assignment]
    department: Department | None
    departments: list[Department]
    """Those the person may work in."""
    htmx: HtmxDetails


def current_department(request: HttpRequest, choices: list[Department]) -> Department | None:
    """The department the person works in: the one chosen in this session, else one they belong to, first by name."""
    user: User = request.user  # type: ignore[assignment]
    chosen = request.session.get("department")
    current = next((one for one in choices if one.pk == chosen), None)
    if current is not None or not choices:
        return current
    current = choices[0]
    if user.is_administrator:
        own = {one.department_id for one in memberships_of(user) if one.is_active}
        current = next((one for one in choices if one.pk in own), current)
        # Remembered, so that looking into a department leaves one trace a session, not one a request.
        switch_department(actor=user, department=current)
        request.session["department"] = current.pk
    return current


def scope_middleware(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Give the request `department`, the person's time zone, and the database that department's scope.

    API requests with a token get their scope when the token is read; the Django admin, for administrators only, sees
    everything.
    """
    admin_prefix = f"/{settings.ADMIN_PATH}/"

    def in_scope(request: HttpRequest) -> HttpResponse:
        if not request.user.is_authenticated:
            request.department = None  # type: ignore[attr-defined]
            return get_response(request)
        if request.session.session_key:
            note_use(request.session.session_key)
        if lacks_second_factor(request.user) and not _leads_to_enrolment(request):
            return _to_enrolment(request)
        choices = request.departments = list(departments_of(request.user))  # type: ignore[attr-defined, arg-type]
        department = request.department = current_department(request, choices)  # type: ignore[attr-defined]
        with timezone.override(_zone(request.user)):  # type: ignore[arg-type]
            if request.path.startswith(admin_prefix) and request.user.is_administrator:
                record(actor=request.user, action="admin.opened", path=request.path, method=request.method)
                with wall.system("Django admin: administrators see all departments"):
                    return get_response(request)
            with wall.tenant([department.pk] if department else []):
                return get_response(request)

    def middleware(request: HttpRequest) -> HttpResponse:
        remote = remote_address.set(request.META.get("REMOTE_ADDR") or None)
        program = user_agent.set(request.META.get("HTTP_USER_AGENT", ""))
        way = door.set(_door(request.path, admin_prefix))
        try:
            with wall.scoped(wall.NOTHING):
                response = in_scope(request)
        except OperationalError as error:
            # Who asks and where they belong could not be read; what views raise was answered further in.
            if request.path.startswith(("/api/", "/v1/")):
                return plain_problem(503, "unavailable", AWAY, retry_after=10)
            return database_away(request, error)
        finally:
            remote_address.reset(remote)
            user_agent.reset(program)
            door.reset(way)
        if request.path.startswith(admin_prefix):
            response._csp_replace = _ADMIN_POLICY  # type: ignore[attr-defined]  # noqa: SLF001 -- how django-csp is told
        return response

    return middleware


def _door(path: str, admin_prefix: str) -> str:
    if path.startswith(("/api/", "/v1/")):
        return "api"
    return "admin" if path.startswith(admin_prefix) else "page"


def _leads_to_enrolment(request: HttpRequest) -> bool:
    ways = (reverse("accounts:security"), reverse("accounts:sign_out"), settings.STATIC_URL)
    return request.path.startswith(ways)


def _to_enrolment(request: HttpRequest) -> HttpResponse:
    """Whoever must have a second factor, and has none, sees nothing else before."""
    request.department, request.departments = None, []  # type: ignore[attr-defined]
    if request.path.startswith(("/api/", "/v1/")):
        error = SecondFactorMissing()
        return plain_problem(error.status, error.code, error.message)
    return redirect("accounts:security")


def _zone(user: User) -> zoneinfo.ZoneInfo | None:
    try:
        return zoneinfo.ZoneInfo(user.time_zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        return None

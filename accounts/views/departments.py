"""Departments: for administrators, and the switch between one's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import services
from accounts.forms import IN_PODS, DepartmentForm
from accounts.models import Department, Membership
from accounts.queries import departments_editable_by, departments_of
from accounts.services.storing import stored_bytes
from accounts.views.guards import GET_OR_POST
from mindloom import wall
from mindloom.web.errors import Conflict, Invalid, NotFound
from mindloom.web.http import render_page

if TYPE_CHECKING:
    from accounts.middleware import Request
    from accounts.models import DepartmentQuerySet


@login_required
@require_POST
def switch_department(request: Request) -> HttpResponse:
    slug = request.POST.get("department", "").replace("\x00", "")[:80]
    department = get_object_or_404(departments_of(request.user), slug=slug)
    try:
        services.switch_department(actor=request.user, department=department)
    except NotFound as error:
        raise Http404(error.message) from None
    request.session["department"] = department.pk
    return redirect("home")


def _editable(request: Request) -> DepartmentQuerySet:
    if not request.user.is_administrator:
        raise PermissionDenied
    return departments_editable_by(request.user)


@login_required
@require_safe
def departments(request: Request) -> HttpResponse:
    status = Membership.Status
    counted = _editable(request).annotate(
        members=Count("memberships", Q(memberships__status=status.ACTIVE, memberships__user__is_active=True)),
        waiting=Count("memberships", Q(memberships__status=status.PENDING, memberships__user__is_active=True)),
    )
    with wall.system("administrators count the members of every department"):
        found = list(counted)
    return render_page(request, "accounts/departments.html", {"departments": found})


@login_required
@require_http_methods(GET_OR_POST)
def department_create(request: Request) -> HttpResponse:
    _editable(request)
    form = DepartmentForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = services.create_department(actor=request.user, **form.cleaned_data)
        except Invalid as error:
            form.refuse(error)
        else:
            messages.success(request, f"{made.name} is ready. People can sign up for it now.")
            return redirect("accounts:departments")
    return _form_page(request, form, None)


@login_required
@require_http_methods(GET_OR_POST)
def department_edit(request: Request, uuid: UUID) -> HttpResponse:
    department = get_object_or_404(_editable(request), uuid=uuid)
    domains = "\n".join(department.email_domains)
    known = {name: getattr(department, name) for name in ("name", "max_running", "storage_mb", *IN_PODS)}
    form = DepartmentForm(request.POST or None, initial=known | {"email_domains": domains})
    if request.method == "POST" and form.is_valid():
        try:
            services.update_department(actor=request.user, department=department, **form.cleaned_data)
        except Invalid as error:
            form.refuse(error)
        else:
            messages.success(request, f"{department.name} is saved.")
            return redirect("accounts:departments")
    department.refresh_from_db()
    return _form_page(request, form, department)


def _form_page(request: Request, form: DepartmentForm, department: Department | None) -> HttpResponse:
    context: dict[str, Any] = {"form": form, "edited": department, "used": None}
    if department is not None:
        with wall.tenant([department.pk]):
            context["used"] = stored_bytes(department.pk)
    status = 422 if request.method == "POST" else 200
    return render_page(request, "accounts/department_form.html", context, status=status)


@login_required
@require_POST
def department_archive(request: Request, uuid: UUID) -> HttpResponse:
    department = get_object_or_404(_editable(request), uuid=uuid)
    try:
        services.archive_department(actor=request.user, department=department)
    except Conflict as error:
        messages.error(request, error.message)
    else:
        messages.success(request, f"{department.name} is archived. Its members have no access; nothing was deleted.")
    return redirect("accounts:departments")


@login_required
@require_POST
def department_restore(request: Request, uuid: UUID) -> HttpResponse:
    department = get_object_or_404(_editable(request), uuid=uuid)
    try:
        services.restore_department(actor=request.user, department=department)
    except Conflict as error:
        messages.error(request, error.message)
    else:
        messages.success(request, f"{department.name} is open again.")
    return redirect("accounts:departments")

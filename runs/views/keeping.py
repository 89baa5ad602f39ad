"""Keeping runs and letting them go: pin, delete, and a department's retention."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods, require_POST

from accounts.models import Role
from accounts.queries import departments_of, may
from accounts.services import set_retention
from mindloom.web.errors import Conflict, Invalid
from mindloom.web.http import render_page
from runs import services
from runs.forms import RetentionForm
from runs.models import RetentionReport, Run
from runs.views.common import context_of, visible

if TYPE_CHECKING:
    from uuid import UUID

    from django.http import HttpResponse

    from accounts.middleware import Request
    from accounts.models import Department

REPORTS = 30


@login_required
@require_POST
def pin(request: Request, uuid: UUID) -> HttpResponse:
    """Pin the run, or unpin it."""
    run = visible(request, uuid)
    if request.POST.get("pin", "1") == "1":
        services.pin_run(actor=request.user, run=run)
        messages.success(request, f"Run {run.number} is pinned: it is kept for as long as it stays so.")
    else:
        services.unpin_run(actor=request.user, run=run)
        messages.success(request, f"Run {run.number} is not pinned any more.")
    return redirect("runs:detail", run.uuid)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: Request, uuid: UUID) -> HttpResponse:
    """Say what goes with the run; delete it when that is confirmed."""
    run = visible(request, uuid)
    if not Run.objects.editable_by(request.user).filter(pk=run.pk).exists():
        raise PermissionDenied("Only the person who started this run, or a manager, can delete it.")
    status, problem = 200, ""
    if request.method == "POST":
        status, problem = 422, "Nothing was deleted. Tick the box to confirm, or go back."
        if request.POST.get("confirm"):
            try:
                services.delete_run(actor=request.user, run=run)
            except Conflict as error:
                problem = error.message
            else:
                messages.success(request, f"Run {run.number} is deleted.")
                return redirect("runs:list")
    context = context_of(request, run, "delete") | {"problem": problem, "files": run.artifacts.count()}
    return render_page(request, "runs/delete.html", context, status=status)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def retention(request: Request, uuid: UUID) -> HttpResponse:
    """How long the department keeps what, what would go now, and what the last nights removed."""
    department = get_object_or_404(departments_of(request.user), uuid=uuid)
    if not may(request.user, Role.MANAGER, department.pk):
        raise PermissionDenied("Only managers of the department and administrators decide how long things are kept.")
    known = {kind: getattr(department, f"keep_{kind}_days") for kind in ("runs", "events", "files")}
    form = RetentionForm(request.POST or None, initial=known)
    days, status = services.days_of(department), 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            days, status = services.chosen_days(**form.cleaned_data), 200
            if request.POST.get("action") != "count" and _saved(request, department, form):
                return redirect("runs:retention", department.uuid)
    context = {
        "edited": department,
        "form": form,
        "days": days,
        "going": services.would_go(department, days),
        "counted": request.method == "POST",
        "reports": RetentionReport.objects.visible_to(request.user)
        .filter(department=department)
        .order_by("-night")[:REPORTS],
    }
    return render_page(request, "runs/retention.html", context, status=status)


def _saved(request: Request, department: Department, form: RetentionForm) -> bool:
    try:
        set_retention(actor=request.user, department=department, **form.cleaned_data)
    except Invalid as error:
        form.refuse(error)
        return False
    messages.success(request, "Saved. It holds from the coming night on.")
    return True

"""What a department may use, for administrators."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods

from accounts.queries import departments_editable_by
from integrations import services
from integrations.forms import AllowedForm
from mindloom.web.errors import Invalid
from mindloom.web.http import render_page

if TYPE_CHECKING:
    from uuid import UUID

    from django.http import HttpResponse

    from accounts.middleware import Request


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def allowed(request: Request, uuid: UUID) -> HttpResponse:
    """Which models and tools the department may use."""
    if not request.user.is_administrator:
        raise PermissionDenied
    department = get_object_or_404(departments_editable_by(request.user), uuid=uuid)
    form = AllowedForm(request.POST or None, department=department)
    if request.method == "POST" and form.is_valid():
        try:
            services.set_allowed(actor=request.user, department=department, **form.values())
        except Invalid as error:
            form.refuse(error)
        else:
            messages.success(request, f"Saved. {department} may use what is chosen here.")
            return redirect("integrations:allowed", department.uuid)
    context: dict[str, Any] = {"form": form, "edited": department}
    status = 422 if request.method == "POST" else 200
    return render_page(request, "integrations/allowed.html", context, status=status)

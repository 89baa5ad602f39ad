"""What can be done with a run: stop it, repeat it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from mindloom.web.errors import Conflict, Invalid, NotFound
from mindloom.web.http import render_page
from runs import services
from runs.models import Run
from runs.queries import acting_tools
from runs.views.common import visible

if TYPE_CHECKING:
    from uuid import UUID

    from django.http import HttpResponse

    from accounts.middleware import Request


@login_required
@require_POST
def stop(request: Request, uuid: UUID) -> HttpResponse:
    """Stop the run; where that cannot take back what a tool does just now, only when that was said and confirmed."""
    run = visible(request, uuid)
    acting = acting_tools(run)
    if (
        acting
        and not request.POST.get("confirmed")
        and Run.objects.editable_by(request.user).filter(pk=run.pk).exists()
    ):
        return render_page(request, "runs/stop.html", {"run": run, "acting": acting}, status=422)
    try:
        services.stop_run(actor=request.user, run=run)
    except Conflict as error:
        messages.warning(request, error.message)
    return redirect("runs:detail", run.uuid)


@login_required
@require_POST
def again(request: Request, uuid: UUID) -> HttpResponse:
    run = visible(request, uuid)
    try:
        repeated = services.repeat_run(actor=request.user, run=run, current=request.POST.get("version") == "current")
    except (Conflict, Invalid, NotFound) as error:
        messages.warning(request, error.message)
        return redirect("runs:detail", run.uuid)
    return redirect("runs:detail", repeated.uuid)

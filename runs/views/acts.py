"""What can be done with a run: stop it, repeat it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from mindloom.web.errors import Conflict, Invalid, NotFound
from runs import services
from runs.views.common import visible

if TYPE_CHECKING:
    from uuid import UUID

    from django.http import HttpResponse

    from accounts.middleware import Request


@login_required
@require_POST
def stop(request: Request, uuid: UUID) -> HttpResponse:
    run = visible(request, uuid)
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

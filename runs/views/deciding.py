"""What people say to runs that ask."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from mindloom.web.errors import Conflict, Invalid
from runs import services
from runs.forms import DecisionForm
from runs.models import Approval, State
from runs.views.common import visible
from runs.views.pages import show_log

if TYPE_CHECKING:
    from uuid import UUID

    from django.http import HttpResponse

    from accounts.middleware import Request

_SAID = {
    "approved": "Approved.",
    "declined": "Declined.",
    "answered": "Answered.",
    "happened": "Noted: it happened, so it is not done again.",
    "did_not_happen": "Noted: it did not happen, so it is done now.",
}


@login_required
@require_POST
def decide(request: Request, uuid: UUID, approval_uuid: UUID) -> HttpResponse:
    """Approve, decline, answer, or say what became of a call. Only the decision and the note are read: what is decided about is what was asked."""
    run = visible(request, uuid)
    approval = get_object_or_404(Approval.objects.visible_to(request.user).filter(run=run), uuid=approval_uuid)
    form = DecisionForm(approval, request.POST)
    decision = request.POST.get("decision", "")
    try:
        run = services.decide(actor=request.user, approval=approval, decision=decision, note=form.note)
    except Invalid as error:
        form.add_errors(error.fields)
        return show_log(request, run, {approval.uuid: form}, status=422)
    except Conflict as error:
        messages.warning(request, error.message)
    else:
        more = "The run waits for the next decision." if run.state == State.WAITING else "The run goes on."
        messages.success(request, f"{_SAID[decision]} {more}")
    return redirect("runs:detail", run.uuid)

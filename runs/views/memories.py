"""What agents remember of the person who looks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST, require_safe

from mindloom.web.http import render_page
from runs import services
from runs.models import PersonMemory

if TYPE_CHECKING:
    from uuid import UUID

    from django.http import HttpResponse

    from accounts.middleware import Request

MOST = 200


@login_required
@require_safe
def memory_list(request: Request) -> HttpResponse:
    found = PersonMemory.objects.visible_to(request.user).select_related("agent", "team").order_by("-updated_at")
    return render_page(request, "conversations/memories.html", {"memories": found.exclude(facts=[])[:MOST]})


@login_required
@require_POST
def forget(request: Request, uuid: UUID) -> HttpResponse:
    memory = get_object_or_404(PersonMemory.objects.visible_to(request.user), uuid=uuid)
    name = memory.target_name
    services.forget_person(actor=request.user, memory=memory)
    messages.success(request, f"{name} has forgotten what it knew of you.")
    return redirect("runs:memories")

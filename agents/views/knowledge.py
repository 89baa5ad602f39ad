"""Which agents read a content bucket, as a part of the bucket's page, and attaching it from there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST, require_safe

from agents import services
from agents.definition.parts import MOST_BUCKETS
from agents.models import Agent
from agents.queries import using_bucket
from buckets.models import Bucket
from mindloom.web.errors import Invalid, NotAllowed
from mindloom.web.http import render_page

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpResponse

    from accounts.middleware import Request

MOST_USES = 50


@login_required
@require_safe
def using_bucket_fragment(request: Request, uuid: UUID) -> HttpResponse:
    """The agents that read a bucket, for the bucket's page."""
    own = Agent.objects.editable_by(request.user).active()
    return uses_page(request, uuid, word="agent", uses=using_bucket(request.user, uuid), own=own)


@login_required
@require_POST
def attach_bucket(request: Request, uuid: UUID) -> HttpResponse:
    """Let an agent's draft read the bucket, or no longer."""

    def keep(agent: Any, draft: dict[str, Any]) -> None:
        services.update_draft(actor=request.user, agent=agent, definition=draft, draft_digest=agent.draft_digest)

    seen, own = Agent.objects.visible_to(request.user), Agent.objects.editable_by(request.user)
    return attach(request, uuid, seen, own, keep)


def uses_page(request: Request, uuid: UUID, *, word: str, uses: Any, own: Any) -> HttpResponse:
    """The agents or teams that read a bucket; what may be attached is what the person may change where they work."""
    bucket = get_object_or_404(Bucket.objects.visible_to(request.user), uuid=uuid)
    found = list(uses[: MOST_USES + 1])
    own = own.filter(department=request.department)
    if request.GET.get("only") == "list":
        own = own.none()
    context = {
        "bucket": bucket,
        "word": word,
        "found": found[:MOST_USES],
        "more": len(found) > MOST_USES,
        "own": set(own.filter(pk__in=[one.pk for one in found]).values_list("pk", flat=True)),
        "others": own.exclude(draft__contains={"buckets": [str(uuid)]}).order_by("name")[:200],
        "detail": f"{word}s:detail",
        "attach": f"{word}s:attach_bucket",
    }
    page = "agents/using_bucket.html#using" if request.htmx else "agents/using_bucket.html"
    return render_page(request, page, context)


def attach(
    request: Request, uuid: UUID, seen: Any, own: Any, keep: Callable[[Any, dict[str, Any]], None]
) -> HttpResponse:
    """Change the draft of the agent or team that was chosen, one of those they may change, and go back to the bucket."""
    bucket = get_object_or_404(Bucket.objects.visible_to(request.user).active(), uuid=uuid)
    row = seen.filter(uuid=_uuid(request)).first()
    if row is None:
        messages.error(request, "Choose one from the list.")
        return redirect("buckets:uses", uuid)
    if not own.filter(pk=row.pk).exists():
        raise NotAllowed("Only its owner and the department’s managers may change what it reads.")
    kept = [one for one in row.draft.get("buckets", []) if one != str(bucket.uuid)]
    attached = request.POST.get("attached") == "1"
    if attached and len(kept) >= MOST_BUCKETS:
        messages.error(request, f"“{row.name}” reads {MOST_BUCKETS} buckets, which is as many as it may.")
        return redirect("buckets:uses", uuid)
    try:
        keep(row, {**row.draft, "buckets": [*kept, str(bucket.uuid)] if attached else kept})
    except Invalid as error:
        messages.error(request, error.message)
    else:
        what = "reads it in its draft" if attached else "no longer reads it in its draft"
        messages.success(request, f"“{row.name}” {what}. Publish it, then its runs follow.")
    return redirect("buckets:uses", uuid)


def _uuid(request: Request) -> UUID | None:
    try:
        return UUID(request.POST.get("target", ""))
    except ValueError:
        return None

"""Which teams read a content bucket, as a part of the bucket's page, and attaching it from there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.auth.decorators import login_required
from django.views.decorators.http import require_POST, require_safe

from agents.views.knowledge import attach, uses_page
from teams import services
from teams.models import Team
from teams.queries import using_bucket

if TYPE_CHECKING:
    from uuid import UUID

    from django.http import HttpResponse

    from accounts.middleware import Request


@login_required
@require_safe
def using_bucket_fragment(request: Request, uuid: UUID) -> HttpResponse:
    """The teams that read a bucket, for the bucket's page."""
    own = Team.objects.editable_by(request.user).active()
    return uses_page(request, uuid, word="team", uses=using_bucket(request.user, uuid), own=own)


@login_required
@require_POST
def attach_bucket(request: Request, uuid: UUID) -> HttpResponse:
    """Let a team's draft read the bucket, or no longer."""

    def keep(team: Any, draft: dict[str, Any]) -> None:
        services.update_draft(actor=request.user, team=team, definition=draft, draft_digest=team.draft_digest)

    seen, own = Team.objects.visible_to(request.user), Team.objects.editable_by(request.user)
    return attach(request, uuid, seen, own, keep)

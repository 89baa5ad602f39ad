"""What the pages of teams have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.exceptions import PermissionDenied
from django.shortcuts import get_object_or_404

from accounts.models import Role
from accounts.queries import may
from agents.views.doors import described as described_shared
from agents.views.doors import reverse_or_none
from teams.definition import TYPES, draw, find_type, said
from teams.models import Team
from teams.specs import members_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from accounts.middleware import Request

GONE = "an agent that is gone"


def visible(request: Request, uuid: UUID) -> Team:
    """The team, or 404."""
    teams = Team.objects.visible_to(request.user).select_related("owner", "published", "department")
    return get_object_or_404(teams, uuid=uuid)


def editable(request: Request, uuid: UUID) -> Team:
    """The team, if the person may change it; else 404 or 403."""
    team = visible(request, uuid)
    if not Team.objects.editable_by(request.user).filter(pk=team.pk).exists():
        raise PermissionDenied(
            "Only its owner and the department’s managers may change this team. You can make a copy."
        )
    if not is_inside(request, team):
        raise PermissionDenied(f"This is a team of {team.department}. Switch to {team.department} to change it.")
    return team


def is_inside(request: Request, team: Team) -> bool:
    """Whether the person works in the team's department; others see of a shared team only what is published."""
    return request.department is not None and request.department.pk == team.department_id


def rights(request: Request, team: Team) -> dict[str, Any]:
    """What the person may do with the team, for templates."""
    inside, is_member = is_inside(request, team), may_create(request)
    is_own = team.owner_id == request.user.pk or may(request.user, Role.MANAGER, team.department_id)
    return {
        "is_inside": inside,
        "may_edit": inside and is_member and is_own,
        "may_run": is_member and team.archived_at is None and team.published_id is not None,
        "may_copy": is_member,
        "run_url": reverse_or_none("runs:start_team", team.uuid),
        "talk_url": reverse_or_none("runs:converse_team", team.uuid),
    }


def may_create(request: Request) -> bool:
    """Whether the person may make teams in the department where they work."""
    return request.department is not None and may(request.user, Role.MEMBER, request.department.pk)


def drawn_types() -> list[dict[str, Any]]:
    """The types with their pictures, to choose from."""
    return [{"type": one, "diagram": draw(one.key)} for one in TYPES]


def has_changes(team: Team) -> bool:
    """Whether the draft differs from what is published."""
    return team.published is not None and team.published.digest != team.draft_digest


def described(request: Request, definition: Mapping[str, Any]) -> dict[str, Any]:
    """A definition in words for people: type, sentence, picture, members, variables."""
    kind = definition.get("type", "coordinate")
    labels = {one["name"]: one["label"] for one in definition.get("variables", [])}
    rows = [
        {
            **row,
            "found": member,
            "name": member.agent.name if member else GONE,
            "sources": list(_told_sources(row, member, labels)),
        }
        for row, member in zip(definition.get("members", []), members_of(definition, request.user), strict=True)
    ]
    return {
        **described_shared(definition),
        "kind": find_type(kind),
        "sentence": said(kind, [row["name"] for row in rows]),
        "diagram": draw(kind, len(rows)),
        "members": rows,
    }


def _told_sources(row: Mapping[str, Any], member: Any, labels: Mapping[str, str]) -> Any:
    for variable in member.variables if member else ():
        source = row["variables"].get(variable["name"], {})
        if "from" in source:
            yield variable["label"], f"from the team’s {labels.get(source['from'], source['from'])}"
        elif "value" in source:
            yield variable["label"], str(source["value"])
        elif variable["default"] not in (None, ""):
            yield variable["label"], f"{variable['default']}, as usual"


def plain(text: str) -> str:
    """Text from an address that PostgreSQL can take."""
    return text.replace("\x00", "").strip()

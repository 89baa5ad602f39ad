"""Reads of teams that pages and API share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db.models import Q

from accounts.models import Role, User
from accounts.queries import may
from agents.definition import digest, textdiff
from agents.definition.exchange import named, write_file
from agents.models import Agent, AgentVersion
from agents.queries import Difference, file_names, told_names
from teams.definition import check
from teams.definition.difference import sentences
from teams.definition.exchange import TEAM, Found, members_named
from teams.models import Team

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from agents.models import AgentQuerySet
    from teams.models import TeamQuerySet


@dataclass(frozen=True)
class Filters:
    """What a list of teams is narrowed by."""

    text: str = ""
    type: str = ""
    show: str = ""
    """"mine", "archived" or "" for all that are in use."""


def listed(user: User, filters: Filters) -> TeamQuerySet:
    """The teams a person sees, with what a list shows of them, the last changed first."""
    teams = Team.objects.visible_to(user).select_related("owner", "published", "department")
    teams = teams.exclude(archived_at=None) if filters.show == "archived" else teams.active()
    if filters.show == "mine":
        teams = teams.filter(owner=user)
    if filters.type:
        teams = teams.filter(draft__type=filters.type)
    if filters.text:
        teams = teams.filter(Q(name__icontains=filters.text) | Q(description__icontains=filters.text))
    return teams.order_by("-updated_at", "-id")


def agents_in(user: User, definitions: Iterable[Mapping[str, Any]]) -> dict[str, Agent]:
    """The agents that are members in these definitions and that the person may see, by uuid, in one query."""
    wanted = {member["agent"] for definition in definitions for member in definition.get("members", [])}
    found = Agent.objects.visible_to(user).filter(uuid__in=wanted).select_related("published")
    return {str(agent.uuid): agent for agent in found}


def members_to_choose(user: User, text: str, taken: Iterable[str]) -> AgentQuerySet:
    """The agents that a person may add to a team, the last changed first."""
    agents = Agent.objects.runnable_by(user).exclude(uuid__in=list(taken)).select_related("published", "department")
    if text:
        agents = agents.filter(Q(name__icontains=text) | Q(description__icontains=text))
    return agents.order_by("-updated_at", "-id")


def using_agent(user: User, uuid: UUID) -> TeamQuerySet:
    """The teams in use that a person sees, in whose draft or published version the agent is a member; by name."""
    return _with(user, {"members": [{"agent": str(uuid)}]})


def using_bucket(user: User, uuid: UUID) -> TeamQuerySet:
    """The teams in use that a person sees, whose draft or published version reads the bucket; by name."""
    return _with(user, {"buckets": [str(uuid)]})


def _with(user: User, part: dict[str, Any]) -> TeamQuerySet:
    uses = Q(draft__contains=part) | Q(published__definition__contains=part)
    return Team.objects.visible_to(user).active().filter(uses).select_related("published", "owner").order_by("name")


def version_numbers(agents: Iterable[Agent]) -> dict[int, list[int]]:
    """The numbers of the agents' versions by the agent's id, the newest first; at most 50 of each."""
    rows = AgentVersion.objects.filter(agent__in=list(agents)).order_by("-number").values_list("agent_id", "number")
    found: dict[int, list[int]] = {}
    for agent, number in rows:
        numbers = found.setdefault(agent, [])
        if len(numbers) < 50:
            numbers.append(number)
    return found


def heirs(team: Team) -> list[User]:
    """The people who could own the team: active members and managers of its department, by name."""
    people = User.objects.filter(
        is_active=True, memberships__department=team.department_id, memberships__status="active"
    )
    return [one for one in people.distinct().order_by("name", "email") if may(one, Role.MEMBER, team.department_id)]


def agent_names(user: User, *definitions: Mapping[str, Any]) -> dict[str, str]:
    """The names of the members that the person sees, by uuid."""
    return {uuid: agent.name for uuid, agent in agents_in(user, definitions).items()}


def agent_meant(user: User, uuid: str, name: str) -> Found | None:
    """The agent that a file means: the very one if the person may run it here, else one of that name, the newest."""
    agents = Agent.objects.runnable_by(user)
    exact = agents.filter(uuid=uuid).first() if _is_uuid(uuid) else None
    found = exact or agents.filter(name=name).order_by("-updated_at", "-id").first()
    return Found(str(found.uuid), exact is not None) if found is not None else None


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def definition_of(user: User, team: Team, which: str) -> dict[str, Any] | None:
    """The definition of a version ("3") or of the draft ("draft"), which only the department sees; None when there is none."""
    if which == "draft":
        draft: dict[str, Any] = team.draft
        return draft if may(user, Role.VIEWER, team.department_id) else None
    if not which.isascii() or not which.isdigit() or len(which) > 9:
        return None
    version = team.versions.filter(number=int(which)).first()
    return version.definition if version is not None else None


def difference(user: User, before: Mapping[str, Any], after: Mapping[str, Any]) -> Difference:
    """What changed from one definition to the other."""
    old, new = (check(one, complete=False) for one in (before, after))
    changes = sentences(old, new, told_names(old, new), agent_names(user, old, new))
    return Difference(changes, textdiff.lines(old["instructions"], new["instructions"]))


def exported(user: User, team: Team, definition: Mapping[str, Any]) -> str:
    """A definition of the team as a file's text."""
    normal = check(definition, complete=False)
    portable = members_named(named(normal, *file_names(normal)), agent_names(user, normal))
    identity = {name: getattr(team, name) for name in TEAM.identity}
    return write_file(TEAM, identity, portable, digest(normal))


def next_number(team: Team) -> int:
    """The number that the next version gets."""
    newest: int | None = team.versions.order_by("-number").values_list("number", flat=True).first()
    return (newest or 0) + 1

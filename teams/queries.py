"""Reads of teams that pages and API share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import Q

from agents.models import Agent
from teams.models import Team

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from uuid import UUID

    from accounts.models import User
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
    member = {"members": [{"agent": str(uuid)}]}
    uses = Q(draft__contains=member) | Q(published__definition__contains=member)
    return Team.objects.visible_to(user).active().filter(uses).select_related("published", "owner").order_by("name")

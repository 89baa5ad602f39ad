"""Reads of agents that pages and API share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Q

from agents.models import Agent

if TYPE_CHECKING:
    from accounts.models import User
    from agents.models import AgentQuerySet


@dataclass(frozen=True)
class Filters:
    """What a list of agents is narrowed by."""

    text: str = ""
    category: str = ""
    show: str = ""
    """"mine", "archived" or "" for all that are in use."""


def listed(user: User, filters: Filters) -> AgentQuerySet:
    """The agents a person sees, with what a list shows of them, the last changed first."""
    agents = Agent.objects.visible_to(user).select_related("owner", "published", "department")
    agents = agents.exclude(archived_at=None) if filters.show == "archived" else agents.active()
    if filters.show == "mine":
        agents = agents.filter(owner=user)
    if filters.category:
        agents = agents.filter(category=filters.category)
    if filters.text:
        agents = agents.filter(Q(name__icontains=filters.text) | Q(description__icontains=filters.text))
    return agents.order_by("-updated_at", "-id")


def categories(user: User) -> list[str]:
    """The categories in use among the agents a person sees."""
    found = Agent.objects.visible_to(user).active().exclude(category="").order_by("category")
    return list(found.values_list("category", flat=True).distinct())

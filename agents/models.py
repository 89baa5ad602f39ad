"""Agents and their versions. What an agent is made of is described in `definition`."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar
from uuid import uuid4

from django.db import models
from django.db.models import Q

from accounts.models import Department, Role, User
from accounts.queries import departments_where, roles_of

if TYPE_CHECKING:
    from accounts.queries import Person


class AgentQuerySet(models.QuerySet["Agent"]):
    """The doors to agents."""

    def visible_to(self, user: Person) -> AgentQuerySet:
        """Agents of the person's departments and those shared with everyone; private ones only to owner and managers."""
        departments = list(roles_of(user))
        shared = Q(department__in=departments, visibility__in=Agent.SHARED)
        mine = Q(owner=user.pk, department__in=departments)
        own = shared | mine | Q(department__in=departments_where(user, Role.MANAGER))
        return self.filter(own | Agent.FOR_EVERYONE if departments else own)

    def editable_by(self, user: Person) -> AgentQuerySet:
        """Their own, where they are still members, and all of the departments they manage."""
        own = Q(owner=user.pk, department__in=departments_where(user, Role.MEMBER))
        return self.filter(own | Q(department__in=departments_where(user, Role.MANAGER)))

    def runnable_by(self, user: Person) -> AgentQuerySet:
        """Published agents in use that the person sees and, more than a viewer somewhere that counts, may run.

        An agent of their own departments runs there; one that is shared with everyone, in any department where they are member.
        """
        member = departments_where(user, Role.MEMBER)
        reach = Q(department__in=member) | Agent.FOR_EVERYONE if member else Q(department__in=member)
        return self.visible_to(user).active().filter(reach, published__isnull=False)

    def active(self) -> AgentQuerySet:
        """Those not archived."""
        return self.filter(archived_at=None)


class Agent(models.Model):
    """An agent of a department: a draft that is worked on, and published versions that people run."""

    class Visibility(models.TextChoices):
        """Who sees it."""

        PRIVATE = "private", "Only me and managers"
        DEPARTMENT = "department", "Everyone in the department"
        EVERYONE = "everyone", "Everyone in every department"

    SHARED: ClassVar = (Visibility.DEPARTMENT, Visibility.EVERYONE)
    FOR_EVERYONE: ClassVar = Q(visibility=Visibility.EVERYONE, archived_at=None, published__isnull=False)
    """What every scope sees of agents; the database's policy says the same."""

    uuid = models.UUIDField(default=uuid4, unique=True, editable=False)
    department = models.ForeignKey(Department, models.PROTECT, related_name="agents")
    owner = models.ForeignKey(User, models.PROTECT, related_name="agents")
    name = models.CharField(max_length=80)
    description = models.CharField(max_length=300, blank=True)
    icon = models.CharField(max_length=40, default="bot")
    category = models.CharField(max_length=40, blank=True)
    visibility = models.CharField(max_length=16, choices=Visibility.choices, default=Visibility.DEPARTMENT)
    draft = models.JSONField(default=dict, help_text="A definition; see agents.definition")
    draft_digest = models.CharField(max_length=64, blank=True)
    published = models.ForeignKey("AgentVersion", models.SET_NULL, null=True, blank=True, related_name="+")
    archived_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = AgentQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["department", "name"], condition=Q(archived_at=None), name="agent_name_once_per_department"
            )
        ]
        indexes: ClassVar = [models.Index(fields=["department", "-updated_at"], name="agent_by_department")]

    def __str__(self) -> str:
        return self.name


class AgentVersion(models.Model):
    """What was published, for ever as it was: a trigger refuses changes."""

    agent = models.ForeignKey(Agent, models.CASCADE, related_name="versions")
    department = models.ForeignKey(Department, models.PROTECT, related_name="+")
    number = models.PositiveIntegerField()
    definition = models.JSONField()
    digest = models.CharField(max_length=64)
    note = models.CharField(max_length=300, blank=True)
    published_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    published_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["agent", "number"], name="agent_version_once")]

    def __str__(self) -> str:
        return f"v{self.number}"

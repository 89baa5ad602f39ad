"""A thread of runs: a person talks with an agent or a team."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar
from uuid import uuid4

from django.db import models
from django.db.models import Q

from accounts.models import Department, Role, User
from accounts.queries import departments_where, roles_of
from agents.models import Agent
from teams.models import Team

if TYPE_CHECKING:
    from accounts.queries import Person


class ConversationQuerySet(models.QuerySet["Conversation"]):
    """The doors to conversations. They are between one person and an agent; managers may look."""

    def visible_to(self, user: Person) -> ConversationQuerySet:
        """The person's own, where they still belong, and all of the departments they manage."""
        own = Q(owner=user.pk, department__in=list(roles_of(user)))
        return self.filter(own | Q(department__in=departments_where(user, Role.MANAGER)))

    def editable_by(self, user: Person) -> ConversationQuerySet:
        """Only the person's own, where they are members: nobody speaks for somebody else."""
        return self.filter(owner=user.pk, department__in=departments_where(user, Role.MEMBER))


class Conversation(models.Model):
    """One person's talk with one agent or team. Its runs are the turns."""

    uuid = models.UUIDField(default=uuid4, unique=True, editable=False)
    department = models.ForeignKey(Department, models.PROTECT, related_name="+")
    owner = models.ForeignKey(User, models.PROTECT, related_name="conversations")
    agent = models.ForeignKey(Agent, models.PROTECT, null=True, related_name="conversations")
    team = models.ForeignKey(Team, models.PROTECT, null=True, related_name="conversations")
    title = models.CharField(max_length=120, blank=True)
    summary = models.TextField(blank=True, help_text="Of the runs up to and with `summary_run_id`")
    summary_run_id = models.BigIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True, help_text="When somebody last said something")

    objects = ConversationQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(agent__isnull=False, team=None) | Q(agent=None, team__isnull=False),
                name="conversation_has_one_target",
            )
        ]
        indexes: ClassVar = [models.Index(fields=["owner", "-updated_at"], name="conversation_by_person")]

    def __str__(self) -> str:
        return self.title or "New conversation"

    @property
    def target(self) -> Agent | Team:
        """Whom the person talks with."""
        found = self.team if self.team_id is not None else self.agent
        assert found is not None  # a constraint
        return found

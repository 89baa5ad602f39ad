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
    from runs.models.memory import PersonMemory


OUT_OF_SIGHT = "No longer shared"


def seen_target(row: Conversation | PersonMemory) -> Agent | Team | None:
    """The agent or team of a row; None when the wall hides it from the row's department now."""
    try:
        return row.team if row.team_id is not None else row.agent
    except (Agent.DoesNotExist, Team.DoesNotExist):
        return None


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
    def target(self) -> Agent | Team | None:
        """Whom the person talks with; None when out of sight: what was shared with everyone can be taken back."""
        return seen_target(self)

    @property
    def target_name(self) -> str:
        """What it is called, as far as it can be seen."""
        return self.target.name if self.target is not None else OUT_OF_SIGHT

    @property
    def target_icon(self) -> str:
        """Its icon, or that of its kind."""
        return self.target.icon if self.target is not None else "users-round" if self.team_id is not None else "bot"

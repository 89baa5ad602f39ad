"""What outlives a run's process, and what outlives the run."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar
from uuid import uuid4

from django.db import models
from django.db.models import Q

from accounts.models import Department, User
from accounts.queries import roles_of
from agents.models import Agent
from runs.models.conversation import OUT_OF_SIGHT, seen_target
from runs.models.run import Run
from teams.models import Team

if TYPE_CHECKING:
    from accounts.queries import Person


class JournalEntry(models.Model):
    """What a model or a tool answered in a run under way (`engine.runner.Noted`): with all entries it can go on elsewhere.

    Gone when the run has ended. Nobody sees them: answers stand in them as they came, before secrets were masked.
    """

    run = models.ForeignKey(Run, models.CASCADE, related_name="journal")
    department = models.ForeignKey(Department, models.PROTECT, related_name="+", db_index=False)
    name = models.CharField(max_length=200)
    value = models.JSONField(null=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["run", "name"], name="journal_entry_once")]

    def __str__(self) -> str:
        return self.name


class PersonMemoryQuerySet(models.QuerySet["PersonMemory"]):
    """The doors to memories."""

    def visible_to(self, user: Person) -> PersonMemoryQuerySet:
        """What is remembered of the person, in the departments where they belong; nobody reads what others told."""
        return self.filter(person=user.pk, department__in=list(roles_of(user)))

    def editable_by(self, user: Person) -> PersonMemoryQuerySet:
        """The same: everybody may have themselves forgotten, viewers too."""
        return self.visible_to(user)


class PersonMemory(models.Model):
    """What one agent or team remembers of one person, in one department."""

    uuid = models.UUIDField(default=uuid4, unique=True, editable=False)
    department = models.ForeignKey(Department, models.PROTECT, related_name="+")
    person = models.ForeignKey(User, models.CASCADE, related_name="memories")
    agent = models.ForeignKey(Agent, models.CASCADE, null=True, related_name="memories")
    team = models.ForeignKey(Team, models.CASCADE, null=True, related_name="memories")
    facts = models.JSONField(default=list, help_text="Sentences")
    updated_at = models.DateTimeField(auto_now=True)

    objects = PersonMemoryQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(agent__isnull=False, team=None) | Q(agent=None, team__isnull=False),
                name="memory_has_one_target",
            ),
            models.UniqueConstraint(fields=["department", "person", "agent"], name="memory_once_of_an_agent"),
            models.UniqueConstraint(fields=["department", "person", "team"], name="memory_once_of_a_team"),
        ]

    def __str__(self) -> str:
        return f"{len(self.facts)} facts"

    @property
    def target(self) -> Agent | Team | None:
        """Who remembers; None when out of sight: what was shared with everyone can be taken back."""
        return seen_target(self)

    @property
    def target_name(self) -> str:
        """What it is called, as far as it can be seen."""
        return self.target.name if self.target is not None else OUT_OF_SIGHT

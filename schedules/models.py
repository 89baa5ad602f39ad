"""Schedules, and the ledger of their times: a row for each, with what became of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar
from uuid import uuid4

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from accounts.models import Department, Role, User
from accounts.queries import departments_where, roles_of
from agents.models import Agent
from runs.models import Run
from teams.models import Team

if TYPE_CHECKING:
    from accounts.queries import Person

_SHARED = (Agent.Visibility.DEPARTMENT, Agent.Visibility.EVERYONE)


class ScheduleQuerySet(models.QuerySet["Schedule"]):
    """The doors to schedules."""

    def visible_to(self, user: Person) -> ScheduleQuerySet:
        """Their own, those of departments they manage, and in their departments those of agents and teams that all there see."""
        shared = Q(agent__visibility__in=_SHARED) | Q(team__visibility__in=_SHARED)
        inside = self.filter(department__in=list(roles_of(user)))
        return inside.filter(shared | Q(owner=user.pk) | Q(department__in=departments_where(user, Role.MANAGER)))

    def editable_by(self, user: Person) -> ScheduleQuerySet:
        """Their own while they are members, and all of the departments they manage."""
        own = Q(owner=user.pk, department__in=departments_where(user, Role.MEMBER))
        return self.filter(own | Q(department__in=departments_where(user, Role.MANAGER)))


class Schedule(models.Model):
    """Starts runs of an agent or a team by the clock, with the rights that its owner has at that moment."""

    class Overlap(models.TextChoices):
        """What happens when the run before is still under way."""

        SKIP = "skip", "Leave this time out"
        QUEUE = "queue", "Wait for its end, then start; one waits at most"
        CANCEL = "cancel", "Stop it, then start"
        ALLOW = "allow", "Start beside it"

    class Missed(models.TextChoices):
        """What happens with times at which Mindloom was not at work."""

        LATEST = "latest", "Catch up the last one"
        ALL = "all", "Catch up each of them"
        SKIP = "skip", "Leave them out"

    uuid = models.UUIDField(default=uuid4, unique=True, editable=False)
    department = models.ForeignKey(Department, models.PROTECT, related_name="schedules")
    owner = models.ForeignKey(User, models.PROTECT, related_name="schedules")
    name = models.CharField(max_length=80)
    agent = models.ForeignKey(Agent, models.PROTECT, null=True, related_name="schedules")
    team = models.ForeignKey(Team, models.PROTECT, null=True, related_name="schedules")
    input = models.TextField(blank=True)
    variables = models.JSONField(default=dict)

    rule = models.JSONField(help_text="See schedules.definition")
    time_zone = models.CharField(max_length=64)
    starts_at = models.DateTimeField(help_text="No time before; intervals count from it")
    ends_at = models.DateTimeField(null=True, blank=True)
    overlap = models.CharField(max_length=8, choices=Overlap.choices, default=Overlap.SKIP)
    missed = models.CharField(max_length=8, choices=Missed.choices, default=Missed.LATEST)
    catch_up_minutes = models.PositiveIntegerField(default=720, help_text="No later than this after its time")
    not_after = models.TimeField(null=True, blank=True, help_text="Of its day, in its time zone; empty for any hour")
    pause_after = models.PositiveSmallIntegerField(default=3, help_text="Failures in a row; 0 for never")

    next_at = models.DateTimeField(
        null=True, editable=False, help_text="The next time that has no row; empty at the end"
    )
    failures = models.PositiveIntegerField(default=0, editable=False, help_text="In a row")
    paused_at = models.DateTimeField(null=True, editable=False)
    paused_reason = models.CharField(max_length=300, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = ScheduleQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                "department",
                Lower("name"),
                name="schedule_name_once_per_department",
                violation_error_message="There is already a schedule of this name in the department. Choose another name.",
            ),
            models.CheckConstraint(
                condition=Q(agent__isnull=False, team=None) | Q(agent=None, team__isnull=False),
                name="schedule_has_one_target",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["next_at"], condition=Q(next_at__isnull=False), name="schedule_due"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_paused(self) -> bool:
        """Whether its times pass without a run."""
        return self.paused_at is not None

    @property
    def target(self) -> Agent | Team | None:
        """What it runs; None when that is out of the reader's sight."""
        return self.team if self.team_id else self.agent


class OccurrenceQuerySet(models.QuerySet["Occurrence"]):
    """The doors to occurrences."""

    def visible_to(self, user: Person) -> OccurrenceQuerySet:
        """Those of the schedules that the person sees."""
        return self.filter(schedule__in=Schedule.objects.visible_to(user))


class Occurrence(models.Model):
    """One time of a schedule and what became of it. Rows stay when the run is deleted."""

    class Outcome(models.TextChoices):
        """What became of it."""

        WAITING = "waiting", "Waits for the run before"
        RAN = "ran", "Ran"
        CAUGHT_UP = "caught_up", "Caught up"
        BY_HAND = "by_hand", "Started by hand"
        OVERLAP = "overlap", "Left out: the run before was under way"
        MISSED = "missed", "Missed"
        PAUSED = "paused", "Paused"
        NO_RIGHT = "no_right", "The owner may not"
        FAILED_TO_START = "failed_to_start", "Could not start"

    schedule = models.ForeignKey(Schedule, models.CASCADE, related_name="occurrences", db_index=False)
    department = models.ForeignKey(Department, models.PROTECT, related_name="+", db_index=False)
    planned_at = models.DateTimeField()
    outcome = models.CharField(max_length=16, choices=Outcome.choices)
    message = models.CharField(max_length=600, blank=True)
    run = models.ForeignKey(
        Run, models.DO_NOTHING, null=True, related_name="occurrences", db_constraint=False, db_index=False
    )
    run_uuid = models.UUIDField(null=True, help_text="Outlives the run")
    run_state = models.CharField(max_length=16, blank=True, help_text="How the run ended; empty until then")
    decided_at = models.DateTimeField()

    objects = OccurrenceQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            # Also the order of the ledger's pages.
            models.UniqueConstraint(fields=["schedule", "planned_at"], name="occurrence_once"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["run"], condition=Q(run__isnull=False, run_state=""), name="occurrence_under_way"),
            models.Index(fields=["schedule"], condition=Q(outcome="waiting"), name="occurrence_waiting"),
        ]

    def __str__(self) -> str:
        return f"{self.schedule_id} at {self.planned_at:%Y-%m-%d %H:%M}"

"""What a person is told, and how they want to be told.

Triggers of the database (`migrations/0001_initial.py`) add the rows, in the transaction of what happened, whichever process makes
it happen. What a row says is in `notifications.queries`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar
from uuid import uuid4

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Q

from accounts.models import Department, User
from accounts.queries import roles_of

if TYPE_CHECKING:
    from accounts.queries import Person


class Kind(models.TextChoices):
    """What there is to be told of, in the order in which it is shown."""

    RUN_WAITS = "run_waits", "A run waits for me"
    RUN_FAILED = "run_failed", "A run of mine failed"
    RUN_FINISHED = "run_finished", "A run of mine is done"
    SCHEDULE = "schedule", "A schedule of mine missed a time or failed"
    MEMBERSHIP = "membership", "Who joins, and what I may do"
    LIMIT = "limit", "A limit of the department is near"


SHORT = {
    Kind.RUN_WAITS.value: "Waiting",
    Kind.RUN_FAILED.value: "Failed",
    Kind.RUN_FINISHED.value: "Done",
    Kind.SCHEDULE.value: "Schedules",
    Kind.MEMBERSHIP.value: "Members",
    Kind.LIMIT.value: "Limits",
}
"""The kinds, as a row of buttons calls them."""


class Choice(models.TextChoices):
    """When something is mailed."""

    NOW = "now", "At once"
    DAILY = "daily", "Once a day"
    NEVER = "never", "Never"


BY_ITSELF: dict[Kind, Choice] = {
    Kind.RUN_WAITS: Choice.NOW,
    Kind.RUN_FAILED: Choice.DAILY,
    Kind.RUN_FINISHED: Choice.NEVER,
    Kind.SCHEDULE: Choice.NOW,
    Kind.MEMBERSHIP: Choice.NOW,
    Kind.LIMIT: Choice.NOW,
}
"""What is mailed to people who have chosen nothing."""


class NotificationQuerySet(models.QuerySet["Notification"]):
    """The doors to notifications: everybody's are their own."""

    def visible_to(self, user: Person) -> NotificationQuerySet:
        """The person's own, of departments that they still belong to."""
        if not isinstance(user, User):
            return self.none()
        return self.filter(person=user, department__in=list(roles_of(user)))

    def editable_by(self, user: Person) -> NotificationQuerySet:
        """The same: nobody marks those of others."""
        return self.visible_to(user)

    def unread(self) -> NotificationQuerySet:
        """Those that nobody has looked at."""
        return self.filter(read_at=None)

    def newest_first(self) -> NotificationQuerySet:
        """By time, the newest first."""
        return self.order_by("-at", "-id")


class Notification(models.Model):
    """One thing that a person is told. As long as it is unread, more of the same only counts it up."""

    class Mail(models.TextChoices):
        """What became of the mail."""

        NEW = "new", "Not decided yet"
        NONE = "none", "None"
        DAILY = "daily", "With the next daily mail"
        SENT = "sent", "Sent"
        FAILED = "failed", "Given up"

    uuid = models.UUIDField(default=uuid4, unique=True, editable=False)
    department = models.ForeignKey(Department, models.CASCADE, related_name="+", db_index=False)
    person = models.ForeignKey(User, models.CASCADE, related_name="notifications", db_index=False)
    kind = models.CharField(max_length=16, choices=Kind.choices)
    subject = models.CharField(max_length=100, help_text="What it is about; one row for each while it is unread")
    data = models.JSONField(default=dict, help_text="What is said of it; see notifications.queries")
    count = models.PositiveIntegerField(default=1, help_text="How often it happened")
    at = models.DateTimeField(help_text="When it last happened")
    read_at = models.DateTimeField(null=True)
    mail = models.CharField(max_length=8, choices=Mail.choices, default=Mail.NEW)
    mail_tries = models.PositiveSmallIntegerField(default=0)
    mail_due_at = models.DateTimeField(null=True, help_text="The mail is not tried earlier")

    objects = NotificationQuerySet.as_manager()

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["person", "-at", "-id"], name="notification_newest"),
            models.Index(fields=["id"], condition=Q(mail__in=("new", "daily")), name="notification_to_mail"),
            models.Index(fields=["at"], name="notification_by_age"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["person", "kind", "subject"], condition=Q(read_at=None), name="notification_once_while_unread"
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.subject}"


class Preference(models.Model):
    """How a person wants to be told. Who has none gets `BY_ITSELF`, and everything in the application."""

    person = models.OneToOneField(User, models.CASCADE, related_name="notification_preference", primary_key=True)
    hidden = ArrayField(
        models.CharField(max_length=16), default=list, blank=True, help_text="Kinds that are not shown at all"
    )
    mail = models.JSONField(default=dict, blank=True, help_text="When each kind is mailed, by kind")
    daily_hour = models.PositiveSmallIntegerField(
        default=7, validators=[MaxValueValidator(23)], help_text="Of the daily mail, in the person's time zone"
    )
    mailed_on = models.DateField(null=True, editable=False, help_text="The person's day of the last daily mail")

    def __str__(self) -> str:
        return f"What {self.person_id} is told"

    def choice(self, kind: str) -> Choice:
        """When this kind is mailed."""
        known = self.mail.get(kind)
        return Choice(known) if known in Choice.values else BY_ITSELF.get(Kind(kind), Choice.NEVER)

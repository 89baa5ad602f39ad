"""Addresses that are told when a run ends or waits, what each of them is told, and every try to tell it.

The deliveries of runs are added by a trigger of the database (`migrations/0001_initial.py`), in the transaction of the run's
change, whichever process makes it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar
from uuid import uuid4

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from accounts.models import Department, Role, User
from accounts.queries import departments_where, roles_of
from runs.models import State

if TYPE_CHECKING:
    from accounts.queries import Person

TOLD_STATES = (State.COMPLETED, State.FAILED, State.CANCELLED, State.WAITING)
"""What can be told of a run, in the order in which it is shown."""


class WebhookQuerySet(models.QuerySet["Webhook"]):
    """The doors to webhooks."""

    def visible_to(self, user: Person) -> WebhookQuerySet:
        """Webhooks of the person's departments; that there is one is no secret in it."""
        return self.filter(department__in=list(roles_of(user)))

    def editable_by(self, user: Person) -> WebhookQuerySet:
        """Those of the departments they manage. Only managers look at webhooks: an address can be a secret itself."""
        return self.filter(department__in=departments_where(user, Role.MANAGER))


class Webhook(models.Model):
    """An address of another system, to which a department has its runs told. Messages are signed with its secret."""

    uuid = models.UUIDField(default=uuid4, unique=True, editable=False)
    department = models.ForeignKey(Department, models.PROTECT, related_name="webhooks")
    created_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    name = models.CharField(max_length=80)
    url = models.CharField("address", max_length=2_000)
    states = ArrayField(
        models.CharField(max_length=16, choices=[(one.value, one.label) for one in TOLD_STATES]),
        help_text="The states of runs that are told",
    )
    target_kind = models.CharField(max_length=8, blank=True, help_text="agent or team; empty for all runs")
    target_uuid = models.UUIDField(null=True, blank=True, help_text="Only runs of this agent or team are told")
    target_name = models.CharField(max_length=200, blank=True)
    secret_sealed = models.TextField(editable=False)
    secret_hint = models.CharField(max_length=8, editable=False, help_text="Its last four characters")
    former_secret_sealed = models.TextField(blank=True, editable=False)
    former_until = models.DateTimeField(
        null=True, blank=True, help_text="Until then messages are signed with the former secret, too"
    )
    is_enabled = models.BooleanField(default=True)
    disabled_reason = models.CharField(max_length=300, blank=True, help_text="Why Mindloom switched it off by itself")
    failing_since = models.DateTimeField(
        null=True, blank=True, help_text="The first refusal since the last message got through"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = WebhookQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                "department",
                Lower("name"),
                name="webhook_name_once_per_department",
                violation_error_message="There is already a webhook of this name in the department. Choose another name.",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    """The doors to deliveries."""

    def visible_to(self, user: Person) -> DeliveryQuerySet:
        """Deliveries of the person's departments."""
        return self.filter(department__in=list(roles_of(user)))

    def editable_by(self, user: Person) -> DeliveryQuerySet:
        """Those of the departments they manage."""
        return self.filter(department__in=departments_where(user, Role.MANAGER))


class Delivery(models.Model):
    """One message for one webhook. It keeps its id however often it is sent."""

    class State(models.TextChoices):
        """Where it stands."""

        PENDING = "pending", "On its way"
        DELIVERED = "delivered", "Delivered"
        FAILED = "failed", "Given up"

    class Type(models.TextChoices):
        """What is told."""

        RUN_FINISHED = "run.finished", "A run has ended"
        RUN_WAITING = "run.waiting", "A run waits for a person"
        WEBHOOK_TEST = "webhook.test", "A test"

    uuid = models.UUIDField(default=uuid4, unique=True, editable=False)
    department = models.ForeignKey(Department, models.PROTECT, related_name="+", db_index=False)
    webhook = models.ForeignKey(Webhook, models.CASCADE, related_name="deliveries", db_index=False)
    type = models.CharField(max_length=32, choices=Type.choices)
    payload = models.JSONField(help_text="What happened; links are added when it is sent")
    run_uuid = models.UUIDField(null=True, help_text="No key: what was told may outlive the run")
    run_number = models.BigIntegerField(null=True)
    state = models.CharField(max_length=16, choices=State.choices, default=State.PENDING)
    attempt_count = models.PositiveIntegerField(
        default=0, help_text="Its tries; a try's result counts only for its number"
    )
    tries = models.PositiveSmallIntegerField(
        default=0, help_text="Of these, since it was made or sent again by a person"
    )
    next_attempt_at = models.DateTimeField(null=True)
    response_status = models.PositiveSmallIntegerField(null=True, help_text="Of the last try")
    error = models.CharField(max_length=600, blank=True, help_text="Of the last try")
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "deliveries"
        indexes: ClassVar = [
            models.Index(fields=["webhook", "-id"], name="delivery_by_webhook"),
            models.Index(fields=["next_attempt_at"], condition=Q(state="pending"), name="delivery_due"),
            models.Index(fields=["finished_at"], condition=Q(finished_at__isnull=False), name="delivery_by_end"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(state="pending", finished_at=None, next_attempt_at__isnull=False)
                | (~Q(state="pending") & Q(finished_at__isnull=False, next_attempt_at=None)),
                name="delivery_due_while_pending",
            ),
        ]

    def __str__(self) -> str:
        return self.message_id

    @property
    def message_id(self) -> str:
        """What receivers know it by, the same at every try."""
        return f"msg_{self.uuid.hex}"


class AttemptQuerySet(models.QuerySet["Attempt"]):
    """The doors to attempts."""

    def visible_to(self, user: Person) -> AttemptQuerySet:
        """Attempts of the person's departments."""
        return self.filter(department__in=list(roles_of(user)))


class Attempt(models.Model):
    """One try to deliver a message, and what came of it. Without an end it is under way, or its process died."""

    delivery = models.ForeignKey(Delivery, models.CASCADE, related_name="attempts")
    department = models.ForeignKey(Department, models.PROTECT, related_name="+", db_index=False)
    number = models.PositiveIntegerField(help_text="Counts from 1")
    started_at = models.DateTimeField()
    duration_ms = models.PositiveIntegerField(null=True)
    response_status = models.PositiveSmallIntegerField(null=True)
    response_excerpt = models.TextField(blank=True, help_text="The beginning of what was answered")
    error = models.CharField(max_length=600, blank=True)

    objects = AttemptQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["delivery", "number"], name="attempt_numbered_once")]

    def __str__(self) -> str:
        return f"{self.delivery_id}, attempt {self.number}"

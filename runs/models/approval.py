"""What people are asked by runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar
from uuid import uuid4

from django.db import models

from accounts.models import Department, User
from runs.models.run import Run

if TYPE_CHECKING:
    from accounts.queries import Person


class ApprovalQuerySet(models.QuerySet["Approval"]):
    """The doors to questions."""

    def visible_to(self, user: Person) -> ApprovalQuerySet:
        """Those of runs that the person sees."""
        return self.filter(run__in=Run.objects.visible_to(user))

    def editable_by(self, user: Person) -> ApprovalQuerySet:
        """Those of runs that the person may stop, who may also decide for them."""
        return self.filter(run__in=Run.objects.editable_by(user))

    def undecided(self) -> ApprovalQuerySet:
        """Those that still wait."""
        return self.filter(state=Approval.State.OPEN)


class Approval(models.Model):
    """One call of a tool that waits, or waited, for a person: for a yes or no, for an answer in words, or, when its worker
    vanished meanwhile, for what became of it.

    What is decided about is kept here and nowhere else: the tool and exactly these arguments.
    """

    class Kind(models.TextChoices):
        """What is wanted of the person."""

        APPROVAL = "approval", "Approve or decline"
        ANSWER = "answer", "Answer"
        CHECK = "check", "Say what happened"

    class State(models.TextChoices):
        """What became of it. `void`: the run ended first."""

        OPEN = "open", "Open"
        APPROVED = "approved", "Approved"
        DECLINED = "declined", "Declined"
        ANSWERED = "answered", "Answered"
        HAPPENED = "happened", "It happened"
        DID_NOT_HAPPEN = "did_not_happen", "It did not happen"
        VOID = "void", "No longer needed"

    uuid = models.UUIDField(default=uuid4, unique=True, editable=False)
    run = models.ForeignKey(Run, models.CASCADE, related_name="approvals")
    department = models.ForeignKey(Department, models.PROTECT, related_name="+")
    key = models.CharField(max_length=100, help_text="Names the call inside the run")
    kind = models.CharField(max_length=16, choices=Kind.choices)
    source = models.JSONField(default=list)
    tool = models.CharField(max_length=100)
    effect = models.CharField(max_length=16)
    arguments = models.JSONField()
    message = models.TextField()
    state = models.CharField(max_length=16, choices=State.choices, default=State.OPEN)
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    note = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ApprovalQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["run", "key"], name="approval_once_per_call")]
        indexes: ClassVar = [models.Index(fields=["department", "state", "-id"], name="approval_by_state")]

    def __str__(self) -> str:
        return self.message

"""Who was asked to join a department, and has not answered yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar
from uuid import uuid4

from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone

from accounts.models.people import Department, Role, User, plain_address

if TYPE_CHECKING:
    from collections.abc import Iterable


class InvitationQuerySet(models.QuerySet["Invitation"]):
    """Reads of invitations."""

    def in_departments(self, departments: Iterable[int]) -> InvitationQuerySet:
        """Those to these departments (ids)."""
        return self.filter(department_id__in=departments)

    def open(self) -> InvitationQuerySet:
        """Those whose links still work."""
        return self.filter(expires_at__gt=timezone.now())


class Invitation(models.Model):
    """An address that was mailed a link with which its owner becomes a member. It is gone once that has happened."""

    uuid = models.UUIDField(default=uuid4, unique=True, editable=False)
    department = models.ForeignKey(Department, models.CASCADE, related_name="invitations")
    email = models.EmailField("e-mail", validators=[plain_address])
    name = models.CharField(max_length=120, blank=True, help_text="As whoever invites knows them")
    role = models.CharField(max_length=16, choices=Role.choices, default=Role.MEMBER)
    invited_by = models.ForeignKey(User, models.CASCADE, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()

    objects = InvitationQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint("department", Lower("email"), name="invitation_once_per_department")
        ]

    def __str__(self) -> str:
        return f"{self.email} to {self.department} ({self.get_role_display()})"

    @property
    def is_open(self) -> bool:
        """Whether its link still works."""
        return self.expires_at > timezone.now()

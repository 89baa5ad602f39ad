"""What the nightly clearing removed."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.db import models

from accounts.models import Department, Role
from accounts.queries import departments_where

if TYPE_CHECKING:
    from accounts.queries import Person


class RetentionReportQuerySet(models.QuerySet["RetentionReport"]):
    """The door to reports."""

    def visible_to(self, user: Person) -> RetentionReportQuerySet:
        """Reports of the departments that the person manages."""
        return self.filter(department__in=departments_where(user, Role.MANAGER))


class RetentionReport(models.Model):
    """One department's clearing in one night: what was removed. Not finished yet, it goes on where it stopped."""

    department = models.ForeignKey(Department, models.CASCADE, related_name="+")
    night = models.DateField()
    started_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)
    seconds = models.FloatField(default=0, help_text="Of work, pauses left out")
    runs = models.PositiveBigIntegerField(default=0)
    events = models.PositiveBigIntegerField(default=0)
    files = models.PositiveBigIntegerField(default=0)
    bytes_freed = models.PositiveBigIntegerField(default=0)
    errors = models.PositiveIntegerField(default=0)
    last_error = models.TextField(blank=True)

    objects = RetentionReportQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["department", "night"], name="retention_once_a_night")]

    def __str__(self) -> str:
        return f"{self.department} on {self.night}"


class StrayFile(models.Model):
    """A path in the storage that no row needs: a file that is being saved, or one whose row is gone.

    The row is written before the file, or together with the removal, and goes when the file is in order or away. So whatever
    crashes in between, the sweep knows what to remove, and never has to list a storage.
    """

    department = models.ForeignKey(Department, models.PROTECT, related_name="+")
    path = models.CharField(max_length=300)
    size_bytes = models.PositiveBigIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    def __str__(self) -> str:
        return self.path

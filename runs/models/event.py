"""What a run leaves behind: its events and its files."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar
from uuid import uuid4

from django.db import models

from accounts.models import Department
from mindloom.engine import events
from runs.models.run import Run

if TYPE_CHECKING:
    from accounts.queries import Person


class RunEventQuerySet(models.QuerySet["RunEvent"]):
    """Reads of events."""

    def after(self, seq: int) -> RunEventQuerySet:
        """Those that follow `seq`, oldest first."""
        return self.filter(seq__gt=seq).order_by("seq")


class RunEvent(models.Model):
    """One event of a run's log. The log has no gaps: seq counts from 1."""

    pk = models.CompositePrimaryKey("run_id", "seq")
    run = models.ForeignKey(Run, models.CASCADE, related_name="events", db_index=False)  # the key begins with it
    seq = models.PositiveBigIntegerField()
    department = models.ForeignKey(Department, models.PROTECT, related_name="+", db_index=False)
    at = models.DateTimeField()
    type = models.CharField(max_length=40)
    source = models.JSONField(default=list)
    data = models.JSONField(default=dict)

    objects = RunEventQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.seq} {self.type}"

    def decoded(self) -> events.Event:
        """The engine's value. Raises `events.UnknownEvent` when the vocabulary does not know it."""
        return events.decode(self.type, self.data, at=self.at, source=tuple(self.source))


PICTURES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
"""Types of files that browsers draw and never run."""
SMALL_PICTURE = 2 * 1024 * 1024


class RunArtifactQuerySet(models.QuerySet["RunArtifact"]):
    """The doors to files."""

    def visible_to(self, user: Person) -> RunArtifactQuerySet:
        """Files of runs that the person sees."""
        return self.filter(run__in=Run.objects.visible_to(user))

    def newest(self) -> RunArtifactQuerySet:
        """Of each name in a run only the newest version, in the order in which they were saved."""
        newer = RunArtifact.objects.filter(
            run=models.OuterRef("run"), name=models.OuterRef("name"), version__gt=models.OuterRef("version")
        )
        return self.filter(~models.Exists(newer)).order_by("id")


class RunArtifact(models.Model):
    """A file that a run made. Saved again under the same name, it is the next version of that file."""

    uuid = models.UUIDField(default=uuid4, unique=True, editable=False)
    run = models.ForeignKey(Run, models.CASCADE, related_name="artifacts")
    department = models.ForeignKey(Department, models.PROTECT, related_name="+")
    name = models.CharField(max_length=200)
    version = models.PositiveIntegerField(default=1)
    media_type = models.CharField(max_length=100, help_text="Decided by the content where the content tells")
    size_bytes = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)
    file = models.FileField(max_length=300)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = RunArtifactQuerySet.as_manager()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["run", "id"], name="artifact_by_run")]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["run", "name", "version"], name="artifact_once_per_version")
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_picture(self) -> bool:
        """Whether it is a picture, small enough to stand in a list."""
        return self.media_type in PICTURES and self.size_bytes <= SMALL_PICTURE

"""Who did what: rows that are added and never changed."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class EntryQuerySet(models.QuerySet["Entry"]):
    """Reads of the audit trail."""

    def of(self, kind: str, target_id: str) -> EntryQuerySet:
        """Entries about one thing, newest first."""
        return self.filter(target_kind=kind, target_id=target_id).order_by("-id")


class Entry(models.Model):
    """One thing somebody did. Names are kept as they were, so that the row outlives people and things."""

    at = models.DateTimeField(auto_now_add=True)
    action = models.CharField(max_length=80, help_text="subject.past_participle, such as agent.published")
    actor_id = models.BigIntegerField(null=True, help_text="The person; empty when the platform itself acted")
    actor_label = models.CharField(max_length=254)
    department_id = models.BigIntegerField(null=True, help_text="The department it happened in, if any")
    target_kind = models.CharField(max_length=40, blank=True)
    target_id = models.CharField(max_length=64, blank=True)
    target_label = models.CharField(max_length=254, blank=True)
    data = models.JSONField(default=dict, help_text="What changed, without secrets")
    ip_address = models.GenericIPAddressField(null=True)

    objects = EntryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "entries"
        indexes: ClassVar = [
            models.Index(fields=["target_kind", "target_id", "-id"], name="audit_by_target"),
            models.Index(fields=["department_id", "-id"], name="audit_by_department"),
        ]

    def __str__(self) -> str:
        return f"{self.actor_label}: {self.action} {self.target_label}".strip()

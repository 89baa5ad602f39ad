"""Who did what: rows that are added and never changed, and the chain that would show if one was."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.db import models

if TYPE_CHECKING:
    from datetime import datetime


NEWEST_FIRST = ("-at", "-id")


class EntryQuerySet(models.QuerySet["Entry"]):
    """Reads of the audit trail."""

    def of(self, kind: str, target_id: str) -> EntryQuerySet:
        """Entries about one thing, newest first."""
        return self.filter(target_kind=kind, target_id=target_id).order_by("-id")

    def newest_first(self) -> EntryQuerySet:
        """By time, newest first. By time and not by id, so that a day long ago is found in the index."""
        return self.order_by(*NEWEST_FIRST)

    def older_than(self, moment: datetime, pk: int) -> EntryQuerySet:
        """Those that come after this entry in such a list."""
        return self.filter(at__lte=moment).exclude(at=moment, pk__gte=pk)


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
    door = models.CharField(
        max_length=16, blank=True, default="", help_text="How it came in: page, api or admin; empty for the platform"
    )
    user_agent = models.CharField(max_length=200, blank=True, default="", help_text="The program that asked")

    objects = EntryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "entries"
        indexes: ClassVar = [
            models.Index(fields=["target_kind", "target_id", "-id"], name="audit_by_target"),
            models.Index(fields=NEWEST_FIRST, name="audit_newest"),
            models.Index(fields=["department_id", *NEWEST_FIRST], name="audit_newest_in"),
            models.Index(fields=["action", *NEWEST_FIRST], name="audit_newest_of_action"),
            models.Index(fields=["department_id", "action", *NEWEST_FIRST], name="audit_newest_of_action_in"),
            models.Index(fields=["actor_label", *NEWEST_FIRST], name="audit_newest_of_actor"),
        ]

    def __str__(self) -> str:
        return f"{self.actor_label}: {self.action} {self.target_label}".strip()


class Link(models.Model):
    """An entry's place in the chain. It is added when the entry's transaction commits; see `audit.services.chaining`."""

    seq = models.BigIntegerField(primary_key=True, help_text="From 1, without gaps")
    entry_id = models.BigIntegerField(unique=True)
    digest = models.BinaryField(help_text="Of the entry's content, under the key")
    mac = models.BinaryField(help_text="Of seq, the link before and the digest, under the key")
    key = models.PositiveSmallIntegerField(help_text="Which key")

    def __str__(self) -> str:
        return f"{self.seq}: entry {self.entry_id}"


class Head(models.Model):
    """Where the chain ends. One row; its lock puts those who add to the chain in a line."""

    seq = models.BigIntegerField()
    mac = models.BinaryField(help_text="Of the last link")
    key = models.PositiveSmallIntegerField(help_text="Under which the next link is made")
    proof = models.BinaryField(help_text="Of both, under the key: nobody else can set it back")

    def __str__(self) -> str:
        return f"The chain ends at {self.seq}"


class ChainKey(models.Model):
    """A key of the chain, closed under the key ring, which the database does not have."""

    number = models.PositiveSmallIntegerField(primary_key=True)
    sealed = models.TextField()
    made_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"Key {self.number}"

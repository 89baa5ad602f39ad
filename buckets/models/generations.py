"""Generations: all passages of a bucket as one set of settings makes them; and the questions that a new one must answer."""

from __future__ import annotations

from typing import ClassVar
from uuid import uuid4

from django.db import models
from django.db.models import Q

from accounts.models import Department, User
from buckets.models.documents import Bucket, Document, Language, PassageLength
from integrations.models import Model


class GenerationState(models.TextChoices):
    """Where a generation is. A bucket has one that is live, at most one that is to follow, and at most one former."""

    BUILDING = "building", "Being built"
    HELD = "held", "Waits for a decision"
    LIVE = "live", "In use"
    FORMER = "former", "The one before"


NEXT = (GenerationState.BUILDING, GenerationState.HELD)


class Generation(models.Model):
    """All passages of a bucket as one set of settings makes them.

    A changed setting builds the next one beside what is searched. `report` says, once it is complete, what the bucket's questions
    found before and now; with `is_forced` nobody asks them.
    """

    bucket = models.ForeignKey(Bucket, models.CASCADE, related_name="generations", db_index=False)
    department = models.ForeignKey(Department, models.PROTECT, related_name="+", db_index=False)
    number = models.PositiveIntegerField(help_text="Counts from 1")
    language = models.CharField(max_length=16, choices=Language.choices)
    passage_length = models.CharField(max_length=8, choices=PassageLength.choices)
    embedding_model = models.ForeignKey(Model, models.SET_NULL, null=True, related_name="+")
    state = models.CharField(max_length=16, choices=GenerationState.choices, default=GenerationState.BUILDING)
    is_forced = models.BooleanField(default=False)
    report = models.JSONField(default=dict)
    made_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    live_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["bucket", "number"], name="generation_numbered_once"),
            models.UniqueConstraint(fields=["bucket"], condition=Q(state__in=NEXT), name="generation_one_next"),
            models.UniqueConstraint(
                fields=["bucket"], condition=Q(state=GenerationState.LIVE), name="generation_one_live"
            ),
            models.UniqueConstraint(
                fields=["bucket"], condition=Q(state=GenerationState.FORMER), name="generation_one_former"
            ),
        ]

    def __str__(self) -> str:
        return f"generation {self.number}"


class Question(models.Model):
    """A question of which somebody said in which document its answer stands."""

    uuid = models.UUIDField(default=uuid4, unique=True, editable=False)
    bucket = models.ForeignKey(Bucket, models.CASCADE, related_name="questions", db_index=False)
    department = models.ForeignKey(Department, models.PROTECT, related_name="+", db_index=False)
    document = models.ForeignKey(Document, models.CASCADE, related_name="+")
    text = models.CharField(max_length=1000)
    added_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["bucket", "text", "document"], name="question_once_per_document"),
        ]

    def __str__(self) -> str:
        return self.text

"""Rows of content buckets."""

from buckets.models.documents import (
    UNDER_WAY,
    Bucket,
    BucketQuerySet,
    Content,
    Document,
    DocumentQuerySet,
    Language,
    Page,
    PassageLength,
    State,
    Version,
    WebSource,
    today,
)
from buckets.models.generations import Generation, GenerationState, Question
from buckets.models.passages import SIZES, Chunk, ConfigurationField, HalfVectorField, Vector, Words, size_for

__all__ = [
    "SIZES",
    "UNDER_WAY",
    "Bucket",
    "BucketQuerySet",
    "Chunk",
    "ConfigurationField",
    "Content",
    "Document",
    "DocumentQuerySet",
    "Generation",
    "GenerationState",
    "HalfVectorField",
    "Language",
    "Page",
    "PassageLength",
    "Question",
    "State",
    "Vector",
    "Version",
    "WebSource",
    "Words",
    "size_for",
    "today",
]

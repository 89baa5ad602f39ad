"""Passages: their words for full text, and their meaning as vectors."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import F, Func

from accounts.models import Department
from buckets.models.documents import Bucket, Document, Version

SIZES = (256, 384, 512, 768, 1_024, 1_536, 2_048, 3_072, 4_000)
"""How long vectors are kept, each with an index of its own. A model's are filled up with zeros, which turns no angle."""


def size_for(dimensions: int) -> int:
    """The length at which a model's vectors are kept."""
    return next(size for size in SIZES if size >= dimensions)


class ConfigurationField(models.Field):
    """The name of a text search configuration, in PostgreSQL's own type, so that the words can be worked out by the table."""

    def db_type(self, connection: Any) -> str:
        """PostgreSQL's type."""
        return "regconfig"


class Words(Func):
    """What can be found in a passage: the words of heading and text by its own language, those of the heading with weight A.

    With `key` it is found by the number of its generation, too, behind a blank that no word has. So the index itself leaves
    passages of other buckets out, however many have a word.
    """

    template = (
        "setweight(to_tsvector(%(language)s, %(heading)s), 'A') || setweight(to_tsvector(%(language)s, %(text)s), 'D')"
    )
    keyed = " || array_to_tsvector(ARRAY[' g' || %(key)s::text])"
    output_field = SearchVectorField()

    def __init__(self, language: str, heading: str, text: str, key: str = "") -> None:
        super().__init__(F(language), F(heading), F(text), *([F(key)] if key else []))

    def as_sql(self, compiler: Any, connection: Any, *args: Any, **more: Any) -> tuple[str, tuple[Any, ...]]:
        """The expression; columns have no values of their own."""
        language, heading, text, *key = (compiler.compile(one)[0] for one in self.get_source_expressions())
        template = self.template + (self.keyed if key else "")
        return template % {"language": language, "heading": heading, "text": text, "key": "".join(key)}, ()


class Chunk(models.Model):
    """A passage that can be found. `title` and `heading` count more than the text."""

    document = models.ForeignKey(Document, models.CASCADE, related_name="+")
    version = models.ForeignKey(Version, models.CASCADE, related_name="chunks", db_index=False)
    bucket = models.ForeignKey(Bucket, models.CASCADE, related_name="+")
    department = models.ForeignKey(Department, models.PROTECT, related_name="+", db_index=False)
    generation = models.BigIntegerField(default=0, help_text="Of the bucket; a word of its own, by which it is found")
    number = models.PositiveIntegerField(help_text="Counts from 1")
    page = models.PositiveIntegerField(help_text="The page on which it begins")
    label = models.CharField(max_length=120, blank=True)
    heading = models.CharField(max_length=600, blank=True, help_text="The document's name and the headings above it")
    text = models.TextField()
    language = ConfigurationField()
    search = models.GeneratedField(
        expression=Words("language", "heading", "text", "generation"),
        output_field=SearchVectorField(),
        db_persist=True,
    )

    class Meta:
        indexes: ClassVar = [GinIndex(fields=["search"], name="chunk_search")]
        constraints: ClassVar = [models.UniqueConstraint(fields=["version", "number"], name="chunk_numbered_once")]

    def __str__(self) -> str:
        return f"passage {self.number}"


class HalfVectorField(models.Field):
    """A vector of pgvector, two bytes a number, of any length."""

    def db_type(self, connection: Any) -> str:
        """PostgreSQL's type."""
        return "halfvec"


class Vector(models.Model):
    """The meaning of a passage to one embedding model. The same text is asked for once in a department: `digest` finds it again."""

    chunk = models.OneToOneField(Chunk, models.DO_NOTHING, primary_key=True, related_name="+", db_constraint=False)
    department = models.ForeignKey(Department, models.PROTECT, related_name="+", db_index=False)
    bucket = models.ForeignKey(Bucket, models.DO_NOTHING, related_name="+", db_index=False, db_constraint=False)
    generation = models.BigIntegerField()
    model = models.BigIntegerField(help_text="The id of the embedding model, which may be gone")
    size = models.PositiveSmallIntegerField(help_text="One of `SIZES`")
    digest = models.BinaryField(max_length=32, help_text="SHA-256 of what was embedded")
    embedding = HalfVectorField()

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["department", "model", "digest"], name="vector_by_text"),
            models.Index(fields=["generation"], name="vector_generation"),
        ]

    def __str__(self) -> str:
        return f"meaning of passage {self.pk}"

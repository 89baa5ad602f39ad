"""What of a bucket is searched, what is built beside it, and what its questions find."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Case, IntegerField, When

from buckets.models import UNDER_WAY, GenerationState, Version

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from buckets.models import Bucket, Document, Generation


@dataclass(frozen=True)
class Generations:
    """The three that a bucket can have; of the next, how many of its files are made."""

    live: Generation | None
    next: Generation | None
    former: Generation | None
    files_done: int = 0
    files: int = 0
    waits: str = ""


def generations_of(bucket: Bucket) -> Generations:
    """The generations of a bucket."""
    rows = list(bucket.generations.select_related("embedding_model", "made_by"))
    by_state = {row.state: row for row in rows}
    following = by_state.get(GenerationState.BUILDING) or by_state.get(GenerationState.HELD)
    live, former = by_state.get(GenerationState.LIVE), by_state.get(GenerationState.FORMER)
    if following is None:
        return Generations(live, None, former)
    versions = Version.objects.filter(generation=following)
    under_way = versions.filter(state__in=UNDER_WAY)
    waits = under_way.exclude(reason="").values_list("reason", flat=True).first() or ""
    count = versions.count()
    return Generations(live, following, former, count - under_way.count(), count, waits)


def versions_of(document: Document, bucket: Bucket) -> QuerySet[Version]:
    """The contents that were given, newest first, each once: as the generation that is searched has it, where it does."""
    others = Case(When(generation=bucket.generation_id, then=0), default=1, output_field=IntegerField())
    rows = document.versions.select_related("content", "added_by").annotate(others=others)
    return rows.order_by("-number", "others", "-id").distinct("number")


def settings_of(bucket: Bucket) -> dict[str, object]:
    """What the bucket is to be made by: the settings of what is being built, else of what is searched."""
    found = generations_of(bucket).next or bucket
    return {name: getattr(found, name) for name in ("language", "passage_length", "embedding_model")}

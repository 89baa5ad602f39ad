"""Which of the documents a search looks into: by themselves, by tag, by name, by date."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Count, F, Func

from buckets.models import Bucket, Document

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date
    from uuid import UUID


@dataclass(frozen=True, kw_only=True)
class Only:
    """What documents a search is narrowed to. Of several tags, a document needs one. Dates count with both ends."""

    documents: tuple[UUID, ...] = ()
    tags: tuple[str, ...] = ()
    name: str = ""
    since: date | None = None
    until: date | None = None

    def __bool__(self) -> bool:
        return any((self.documents, self.tags, self.name, self.since, self.until))


def narrowed(buckets: Iterable[int], only: Only) -> list[int] | None:
    """The ids of the documents that are meant; None for all of the buckets."""
    if not only:
        return None
    rows = Document.objects.filter(bucket__in=list(buckets))
    if only.documents:
        rows = rows.filter(uuid__in=only.documents)
    if only.tags:
        rows = rows.filter(tags__overlap=list(only.tags))
    if only.name:
        rows = rows.filter(name__icontains=only.name)
    if only.since:
        rows = rows.filter(dated_on__gte=only.since)
    if only.until:
        rows = rows.filter(dated_on__lte=only.until)
    return list(rows.values_list("pk", flat=True))


def tags_of(bucket: Bucket) -> list[tuple[str, int]]:
    """The tags of a bucket's documents by name, with how many have each."""
    each = bucket.documents.order_by().annotate(tag=Func(F("tags"), function="unnest")).values("tag")
    return sorted(each.annotate(n=Count("pk")).values_list("tag", "n"))

"""Which buckets and documents there are, for lists and for choosing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Count, IntegerField, OuterRef, Q, Subquery, Sum
from django.db.models.functions import Coalesce, Lower

from accounts.queries import roles_of
from buckets.models import UNDER_WAY, Bucket, Chunk, Document, Page, State, Version, WebSource

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from django.db.models import QuerySet

    from accounts.models import User
    from accounts.queries import Person
    from buckets.models import BucketQuerySet, DocumentQuerySet


@dataclass(frozen=True)
class Filters:
    """What a list of buckets is narrowed by. `show`: "mine", "shared" by other departments, "archived", or "" for those in use."""

    text: str = ""
    show: str = ""


def listed(user: User, filters: Filters) -> BucketQuerySet:
    """The buckets a person sees, the last changed first, with what a list shows of them."""
    buckets = Bucket.objects.visible_to(user).select_related("owner", "department")
    buckets = buckets.exclude(archived_at=None) if filters.show == "archived" else buckets.active()
    if filters.show == "mine":
        buckets = buckets.filter(owner=user)
    if filters.show == "shared":
        buckets = buckets.exclude(department__in=list(roles_of(user)))
    if filters.text:
        buckets = buckets.filter(Q(name__icontains=filters.text) | Q(description__icontains=filters.text))
    return counted(buckets).order_by("-updated_at", "-id")


def counted(buckets: BucketQuerySet) -> BucketQuerySet:
    """With the numbers of documents and passages, and how many files are worked on or have failed."""
    documents = Document.objects.filter(bucket=OuterRef("pk")).order_by().values("bucket")

    def number(what: Any) -> Any:
        return Coalesce(Subquery(documents.annotate(n=what).values("n"), output_field=IntegerField()), 0)

    return buckets.annotate(
        document_count=number(Count("pk")),
        passage_count=number(Sum("live__chunk_count")),
        under_way=number(Count("pk", filter=Q(newest__state__in=UNDER_WAY))),
        failed=number(Count("pk", filter=Q(newest__state=State.FAILED))),
    )


def readable(user: Person, uuids: Iterable[str]) -> list[Bucket]:
    """Those of the buckets that the person may read now: in use, and visible to them."""
    return list(Bucket.objects.visible_to(user).active().filter(uuid__in=list(uuids)))


def choices_for(user: Person, department_id: int) -> list[Bucket]:
    """The buckets that agents of the department may be given: its own that the person sees, then those shared by others."""
    found = Bucket.objects.visible_to(user).active().select_related("department")
    rows = found.filter(Q(department=department_id) | Bucket.FOR_EVERYONE).order_by(Lower("name"))
    return sorted(rows, key=lambda one: one.department_id != department_id)


def document_rows(bucket: Bucket, text: str = "") -> DocumentQuerySet:
    """The documents of a bucket, by name, with their newest version."""
    rows = bucket.documents.select_related("newest__content", "newest__added_by", "live")
    if text:
        rows = rows.filter(name__icontains=text)
    return rows.order_by(Lower("name"), "id")  # type: ignore[return-value]


def source_rows(bucket: Bucket) -> QuerySet[WebSource]:
    """The addresses of the web that a bucket has documents from, the newest first, with how many each made."""
    return bucket.sources.select_related("asked_by", "bucket").annotate(n=Count("documents")).order_by("-id")


def state_counts(bucket: Bucket) -> dict[str, int]:
    """How many of the bucket's documents are worked on, searchable and failed."""
    rows = bucket.documents.order_by().values_list("newest__state").annotate(n=Count("pk"))
    by_state = dict(rows)
    return {
        "all": sum(by_state.values()),
        "under_way": sum(by_state.get(one, 0) for one in UNDER_WAY),
        "searchable": by_state.get(State.SEARCHABLE, 0),
        "failed": by_state.get(State.FAILED, 0),
    }


def found_passages(version: Version) -> QuerySet[Chunk]:
    """The passages of a version in their order; only the version that is searched has some."""
    return Chunk.objects.filter(version=version).order_by("number")


def live_pages(version: Version) -> QuerySet[Page]:
    """The pages of a version's content, in their order."""
    return Page.objects.filter(content=version.content_id).order_by("number")

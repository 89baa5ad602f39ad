"""Builds generations beside what is searched, asks them the bucket's questions, and lets them take over as a whole."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.db import connection, transaction
from django.db.models import F, OuterRef, Subquery
from django.utils import timezone

from audit.services import record
from buckets.models import UNDER_WAY, Bucket, Document, Generation, GenerationState, Question, State, Version
from buckets.queries import find_in
from integrations.providers import EmbeddingError

if TYPE_CHECKING:
    from buckets.models import DocumentQuerySet

logger = logging.getLogger(__name__)

FOUND_AMONG = 5
"""A question is answered when its document is among so many passages."""
MOST_QUESTIONS = 500


@dataclass
class Comparison:
    """What the questions found before and find now. `worse` and `better` are questions, `failed` files that only fail now."""

    asked: int = 0
    before: int = 0
    after: int = 0
    worse: list[str] = field(default_factory=list)
    better: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    @property
    def is_enough(self) -> bool:
        """Whether the new one finds at least as much."""
        return self.after >= self.before and not self.failed

    def report(self) -> dict[str, Any]:
        """As it is kept."""
        return {name: getattr(self, name) for name in ("asked", "before", "after", "worse", "better", "failed")}


def settle(pk: int) -> None:
    """Take a generation as far as it gets: what came meanwhile is added, and when it is complete, it goes live or is held."""
    generation = _building(pk)
    if generation is None or _under_way(generation) or fill(generation):
        return
    compared = Comparison()
    if not generation.is_forced:
        try:
            compared = compare(generation)
        except EmbeddingError as error:
            logger.info("Generation %s waits for its embedding model: %s", pk, error)
            return
    with transaction.atomic():
        bucket = Bucket.objects.select_for_update(no_key=True).get(pk=generation.bucket_id)
        generation = _building(pk)
        if generation is None or _missing(generation) or _under_way(generation):
            return  # somebody else was faster, or something came in this moment, and its worker settles
        Generation.objects.filter(pk=pk).update(report=compared.report())
        if generation.is_forced or compared.is_enough:
            go_live(bucket, generation)
            return
        Generation.objects.filter(pk=pk).update(state=GenerationState.HELD)
        record(
            actor=None, action="generation.refused", target=bucket, number=generation.number, worse=len(compared.worse)
        )


def _building(pk: int) -> Generation | None:
    rows = Generation.objects.select_related("embedding_model__provider")
    return rows.filter(pk=pk, state=GenerationState.BUILDING).first()


def _under_way(generation: Generation) -> bool:
    return Version.objects.filter(generation=generation, state__in=UNDER_WAY).exists()


def _wanted(generation: Generation) -> DocumentQuerySet:
    """The bucket's documents that have something to be found, with what that is and with the last that the generation has."""
    last = Version.objects.filter(document=OuterRef("pk"), generation=generation).order_by("-pk")
    documents: Any = Document.objects.filter(bucket=generation.bucket_id).select_related("newest", "live")
    return documents.annotate(  # type: ignore[no-any-return]
        made_of=Subquery(last.values("content")[:1]), made_state=Subquery(last.values("state")[:1])
    )


def _source(document: Document) -> Version | None:
    """The version whose content the generation has to have: the newest, unless it failed."""
    newest = document.newest
    return newest if newest is not None and newest.state != State.FAILED else document.live


def _missing(generation: Generation) -> list[Version]:
    """Versions that the generation lacks, not kept yet."""
    missing = []
    for document in _wanted(generation):
        source = _source(document)
        made: Any = document
        if source is None or (made.made_of == source.content_id and made.made_state != State.REPLACED):
            continue
        missing.append(
            Version(
                document=document,
                department_id=generation.department_id,
                content_id=source.content_id,
                generation=generation,
                number=source.number,
                language=generation.language,
                passage_length=generation.passage_length,
                added_by_id=source.added_by_id,
            )
        )
    return missing


def fill(generation: Generation) -> int:
    """Add what the generation lacks; returns how many versions that were."""
    with transaction.atomic():
        Bucket.objects.select_for_update(no_key=True).get(pk=generation.bucket_id)
        if not Generation.objects.filter(pk=generation.pk, state=GenerationState.BUILDING).exists():
            return 0
        return len(Version.objects.bulk_create(_missing(generation), batch_size=500))


def compare(generation: Generation) -> Comparison:
    """Ask the bucket's questions of what is live and of the generation. Raises `EmbeddingError` when that can't be told now."""
    bucket = Bucket.objects.select_related("generation__embedding_model__provider").get(pk=generation.bucket_id)
    told = Comparison()
    failed = Version.objects.filter(generation=generation, state=State.FAILED, document__live__isnull=False)
    told.failed = list(failed.values_list("document__name", flat=True)[:20])
    questions = Question.objects.filter(bucket=bucket).select_related("document").order_by("pk")
    for question in questions[:MOST_QUESTIONS]:
        before = bucket.generation is not None and answers(bucket, bucket.generation, question)
        after = answers(bucket, generation, question)
        told.asked += 1
        told.before += before
        told.after += after
        if before and not after:
            told.worse.append(question.text)
        if after and not before:
            told.better.append(question.text)
    return told


def answers(bucket: Bucket, generation: Generation, question: Question) -> bool:
    """Whether the question finds its document in the generation. Raises `EmbeddingError`."""
    hits = find_in([generation], {bucket.pk: bucket}, question.text, FOUND_AMONG, is_strict=True).hits
    return any(hit.document == question.document.uuid for hit in hits)


def go_live(bucket: Bucket, generation: Generation) -> None:
    """In the caller's transaction, with the bucket locked: from its end on this generation is searched, and no other."""
    now = timezone.now()
    for former in Generation.objects.filter(bucket=bucket, state=GenerationState.FORMER).exclude(pk=generation.pk):
        dissolve(former)
    Generation.objects.filter(bucket=bucket, state=GenerationState.LIVE).update(state=GenerationState.FORMER)
    Generation.objects.filter(pk=generation.pk).update(state=GenerationState.LIVE, live_at=now, is_forced=False)
    old = bucket.generation_id
    bucket.generation = generation
    bucket.language, bucket.passage_length = generation.language, generation.passage_length
    bucket.embedding_model = generation.embedding_model
    bucket.save(update_fields=["generation", "language", "passage_length", "embedding_model", "updated_at"])
    # What failed before it was found has no place in the new one; it can be tried again there.
    failed = Version.objects.filter(generation=old, state=State.FAILED, pk__in=_newest_of(bucket))
    failed.update(generation=generation, language=generation.language, passage_length=generation.passage_length)
    Version.objects.filter(generation=old, state__in=UNDER_WAY).update(
        state=State.REPLACED, finished_at=now, fence=F("fence") + 1, lease_until=None
    )
    _point(bucket, generation)
    record(actor=None, action="generation.activated", target=bucket, number=generation.number)


def _newest_of(bucket: Bucket) -> Any:
    return Document.objects.filter(bucket=bucket, newest__isnull=False).values("newest")


def _point(bucket: Bucket, generation: Generation) -> None:
    """Let documents point to their versions of this generation."""
    statement = """
        UPDATE buckets_document d SET
            live_id = (SELECT v.id FROM buckets_version v
                WHERE v.document_id = d.id AND v.generation_id = %s AND v.is_found),
            newest_id = coalesce((SELECT v.id FROM buckets_version v JOIN buckets_version n ON n.id = d.newest_id
                WHERE v.document_id = d.id AND v.generation_id = %s AND v.number >= n.number ORDER BY v.id DESC LIMIT 1),
                d.newest_id)
        WHERE d.bucket_id = %s
    """
    with connection.cursor() as cursor:
        cursor.execute(statement, [generation.pk, generation.pk, bucket.pk])


def dissolve(generation: Generation) -> None:
    """Take a generation away that is not searched. Its passages are cleared away later, by the scheduler."""
    Version.objects.filter(generation=generation, state__in=(*UNDER_WAY, State.SEARCHABLE)).update(
        state=State.REPLACED, finished_at=timezone.now()
    )
    Version.objects.filter(generation=generation).update(
        generation=None, is_found=False, fence=F("fence") + 1, lease_until=None, waits_until=None
    )
    generation.delete()

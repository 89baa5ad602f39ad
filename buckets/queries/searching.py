"""Finding passages: by the words of a question, and by its meaning where a bucket has an embedding model.

The two ways have scores of different kinds, so what counts is the place that a passage has in each: reciprocal rank fusion. Whoever
calls has chosen the buckets by what a person may read; the database's wall holds all the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.db import connection

from buckets.models import Generation
from buckets.queries.hits import START, STOP, Found, Hit, Place
from buckets.queries.meaning import by_meaning
from buckets.queries.narrowing import Only, narrowed
from buckets.queries.words import Ranked, by_words, passages_in, quoted
from integrations.models import Model
from integrations.providers import EmbeddingError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from buckets.models import Bucket

LONGEST_QUERY = 1_000
MOST_LIMIT = 50
EVERYTHING = Only()
_DEPTH = 50
"""How far down each way's list counts."""
_SMOOTHING = 60
"""What makes the first places of one way count less than a good place in both."""


@dataclass
class _Fused:
    """A passage with its places in the lists."""

    score: float = 0.0
    words: Ranked | None = None
    places: dict[str, Place] = field(default_factory=dict)


def search(buckets: Iterable[Bucket], query: str, limit: int = 10, *, only: Only = EVERYTHING) -> list[Hit]:
    """The passages of the buckets that are about the question, best first; of those documents that are meant."""
    return find(buckets, query, limit, only=only).hits


def find(buckets: Iterable[Bucket], query: str, limit: int = 10, *, only: Only = EVERYTHING) -> Found:
    """As `search`, with what could not be searched: without its embedding model a bucket is searched by words alone."""
    by_pk = {bucket.pk: bucket for bucket in buckets}
    live = list(Generation.objects.filter(pk__in=[one.generation_id for one in by_pk.values()]))
    return find_in(live, by_pk, query, limit, documents=narrowed(by_pk, only))


def find_in(
    generations: Sequence[Generation],
    buckets: dict[int, Bucket],
    query: str,
    limit: int,
    *,
    documents: list[int] | None = None,
    is_strict: bool = False,
    ways: Sequence[str] = ("words", "meaning"),
) -> Found:
    """As `find`, in these generations of the buckets, live or not. When `is_strict`, a model that fails raises `EmbeddingError`."""
    wanted = " ".join(query.replace("\x00", " ").split())[:LONGEST_QUERY]
    if not wanted or not generations or documents == []:
        return Found([])
    limit = max(1, min(limit, MOST_LIMIT))
    fused: dict[int, _Fused] = {}
    used = _add_words(fused, generations, wanted, documents) if "words" in ways else 0
    notes: list[str] = []
    if "meaning" in ways:
        used += _add_meaning(fused, generations, wanted, documents, notes, is_strict=is_strict)
    best = sorted(fused, key=lambda pk: (-fused[pk].score, pk))[:limit]
    return Found(_loaded(best, fused, buckets, max(used, 1)), tuple(dict.fromkeys(notes)))


def _add_words(
    fused: dict[int, _Fused], generations: Sequence[Generation], query: str, documents: list[int] | None
) -> int:
    """Give passages their places by words: those of all languages in one list."""
    by_language: dict[str, list[int]] = {}
    for one in generations:
        by_language.setdefault(one.language, []).append(one.pk)
    ranked: list[Ranked] = []
    for language, some in by_language.items():
        ranked += by_words(language, some, query, _DEPTH, documents)
    ranked.sort(key=lambda found: (-found.score, found.chunk))
    for rank, found in enumerate(ranked[:_DEPTH], start=1):
        _place(fused, found.chunk, "words", Place(rank, found.score)).words = found
    return 1


def _add_meaning(
    fused: dict[int, _Fused],
    generations: Sequence[Generation],
    query: str,
    documents: list[int] | None,
    notes: list[str],
    *,
    is_strict: bool,
) -> int:
    """Give passages their places by meaning: each model has a list of its own, since angles of two are not alike."""
    by_model: dict[int, list[int]] = {}
    for one in generations:
        if one.embedding_model_id:
            by_model.setdefault(one.embedding_model_id, []).append(one.pk)
    models = Model.objects.select_related("provider").in_bulk(list(by_model))
    asked = 0
    for pk, some in by_model.items():
        try:
            near = by_meaning(models[pk], some, query, _DEPTH, documents, passages_in(some, documents))
        except EmbeddingError as error:
            if is_strict:
                raise
            notes.append(str(error))
            continue
        asked = 1
        for rank, (chunk, similarity) in enumerate(near, start=1):
            _place(fused, chunk, "meaning", Place(rank, similarity))
    return asked


def _place(fused: dict[int, _Fused], chunk: int, way: str, place: Place) -> _Fused:
    found = fused.setdefault(chunk, _Fused())
    found.places[way] = place
    found.score += (_SMOOTHING + 1) / (_SMOOTHING + place.rank)
    return found


def _loaded(best: list[int], fused: dict[int, _Fused], buckets: dict[int, Bucket], ways: int) -> list[Hit]:
    """The passages themselves, with the words of the question marked."""
    if not best:
        return []
    statement = """
        SELECT c.id, c.bucket_id, d.uuid, d.name, v.number, c.number, c.page, c.label, c.heading, c.text,
            CASE WHEN asked.words = '' THEN c.text
                ELSE ts_headline(c.language, c.text, asked.words::tsquery, %s) END
        FROM unnest(%s::bigint[], %s::text[]) AS asked (id, words)
        JOIN buckets_chunk c ON c.id = asked.id
        JOIN buckets_version v ON v.id = c.version_id
        JOIN buckets_document d ON d.id = c.document_id
    """
    marks = f"StartSel={START}, StopSel={STOP}, HighlightAll=true"
    words = [" | ".join(quoted(one) for one in _words(fused[pk])) for pk in best]
    with connection.cursor() as cursor:
        cursor.execute(statement, [marks, best, words])
        rows = {row[0]: row[1:] for row in cursor.fetchall()}
    return [_hit(rows[pk], fused[pk], buckets, ways) for pk in best if pk in rows]


def _words(found: _Fused) -> tuple[str, ...]:
    return found.words.words if found.words is not None else ()


def _hit(row: tuple[Any, ...], found: _Fused, buckets: dict[int, Bucket], ways: int) -> Hit:
    bucket_id, document, name, version, number, page, label, heading, text, marked = row
    bucket = buckets[bucket_id]
    return Hit(
        bucket=bucket.uuid,
        bucket_name=bucket.name,
        document=document,
        document_name=name,
        version=version,
        passage=number,
        page=page,
        label=label,
        heading=heading.removeprefix(name).removeprefix(" › "),
        text=text,
        score=round(found.score / ways, 4),
        words=_words(found),
        marked=marked,
        by_words=found.places.get("words"),
        by_meaning=found.places.get("meaning"),
    )

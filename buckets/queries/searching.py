"""Finding passages by the words of a question.

PostgreSQL brings words to their stems by the bucket's language. Rare words say more than frequent ones, so each word weighs by how
few passages have it, as far as that is cheap to count; passages that have many of the rarer words come first. Whoever calls
has chosen the buckets by what a person may read; the database's wall holds all the same.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import connection
from django.db.models import Sum

from buckets.models import Document, State
from buckets.queries.narrowing import Only, narrowed

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID

    from buckets.models import Bucket

LONGEST_QUERY = 1_000
MOST_LIMIT = 50
_MOST_WORDS = 16
_COUNTED_TO = 2_000
"""How far passages with a word are counted; from there on it is frequent."""
_CANDIDATES = 6_000
_WEIGHTS = "{0.5, 0.5, 0.5, 1.0}"
_START, _STOP = "\x02", "\x03"
_EVERYTHING = Only()
_MARKED = re.compile(f"{_START}(.*?){_STOP}", re.DOTALL)


@dataclass(frozen=True)
class Piece:
    """Some text of a passage; `is_hit` where a word of the question stands."""

    text: str
    is_hit: bool


@dataclass(frozen=True)
class Hit:
    """A passage that was found, with where it stands and why."""

    bucket: UUID
    bucket_name: str
    document: UUID
    document_name: str
    version: int
    passage: int
    page: int
    label: str
    heading: str
    text: str
    score: float
    words: tuple[str, ...]
    marked: str

    @property
    def pieces(self) -> list[Piece]:
        """The text, taken apart for highlighting."""
        found: list[Piece] = []
        for place, text in enumerate(_MARKED.split(self.marked or self.text)):
            if text:
                found.append(Piece(text, place % 2 == 1))
        return found

    @property
    def location(self) -> str:
        """Where in the document it is, in words: “page 3, Fees › Refunds”."""
        return ", ".join(filter(None, [self.label, self.heading]))


@dataclass(frozen=True)
class _Word:
    lexeme: str
    count: int
    weight: float

    @property
    def query(self) -> str:
        return "'" + self.lexeme.replace("\\", "\\\\").replace("'", "''") + "'"


def search(buckets: Iterable[Bucket], query: str, limit: int = 10, *, only: Only = _EVERYTHING) -> list[Hit]:
    """The passages of the buckets that are about the question, best first; of those documents that are meant."""
    wanted = " ".join(query.replace("\x00", " ").split())[:LONGEST_QUERY]
    by_language: dict[str, list[Bucket]] = {}
    for bucket in buckets:
        by_language.setdefault(bucket.language, []).append(bucket)
    if not wanted or not by_language:
        return []
    limit = max(1, min(limit, MOST_LIMIT))
    hits: list[Hit] = []
    for language, some in by_language.items():
        documents = narrowed([one.pk for one in some], only)
        hits += _in_language(language, {one.pk: one for one in some}, wanted, limit, documents)
    return sorted(hits, key=lambda hit: -hit.score)[:limit]


def _in_language(
    language: str, buckets: dict[int, Bucket], query: str, limit: int, documents: list[int] | None
) -> list[Hit]:
    words = _words(language, list(buckets), query, documents)
    if not words:
        return []
    asked: list[_Word] = []
    candidates = 0
    for word in sorted(words, key=lambda one: one.count):
        if asked and candidates + word.count > _CANDIDATES:
            break
        asked.append(word)
        candidates += word.count
    # A word that every passage has tells none apart, but when it is all there is, it is looked for.
    score = " + ".join(["%s * ts_rank(%s, c.search, %s::tsquery, 1)"] * len(words))
    has = " || ".join(["CASE WHEN c.search @@ %s::tsquery THEN ARRAY[%s] ELSE '{}'::text[] END"] * len(words))
    among = "" if documents is None else "AND c.document_id = ANY(%s)"
    statement = f"""
        SELECT found.*, ts_headline(%s::regconfig, found.text, %s::tsquery, %s) FROM (
            SELECT c.bucket_id, d.uuid, d.name, v.number AS version, c.number, c.page, c.label, c.heading, c.text,
                {score} AS score, {has} AS words
            FROM buckets_chunk c
            JOIN buckets_version v ON v.id = c.version_id AND v.state = %s
            JOIN buckets_document d ON d.id = c.document_id
            WHERE c.search @@ %s::tsquery AND c.bucket_id = ANY(%s) AND c.language = %s::regconfig {among}
            ORDER BY score DESC, c.id LIMIT %s
        ) found ORDER BY score DESC
    """  # noqa: S608 -- made of our own words; values are parameters
    every = " | ".join(word.query for word in words)
    values: list[Any] = [language, every, f"StartSel={_START}, StopSel={_STOP}, HighlightAll=true"]
    for word in words:
        values += [word.weight, _WEIGHTS, word.query]
    for word in words:
        values += [word.query, word.lexeme]
    values += [State.SEARCHABLE.value, " | ".join(word.query for word in asked), list(buckets), language]
    values += [] if documents is None else [documents]
    with connection.cursor() as cursor:
        cursor.execute(statement, [*values, limit])
        return [_hit(buckets, row) for row in cursor.fetchall()]


def _hit(buckets: dict[int, Bucket], row: tuple[Any, ...]) -> Hit:
    bucket_id, document, name, version, number, page, label, heading, text, score, words, marked = row
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
        score=round(float(score), 4),
        words=tuple(words),
        marked=marked,
    )


def _words(language: str, buckets: list[int], query: str, documents: list[int] | None) -> list[_Word]:
    """The words of the question that some passage has, with how much each says."""
    place, ids = ("bucket_id", buckets) if documents is None else ("document_id", documents)
    count = f"""
        SELECT word, (SELECT count(*) FROM (
            SELECT 1 FROM buckets_chunk c WHERE c.search @@ quoted::tsquery AND c.{place} = ANY(%s) LIMIT %s) few)
        FROM unnest(%s::text[], %s::text[]) AS asked (word, quoted)
    """  # noqa: S608 -- one of two names of columns
    with connection.cursor() as cursor:
        cursor.execute("SELECT tsvector_to_array(to_tsvector(%s::regconfig, %s))", [language, query])
        lexemes = cursor.fetchone()[0][: _MOST_WORDS * 4]
        first = [_Word(one, 0, 0) for one in sorted(lexemes, key=lambda one: -len(one))[:_MOST_WORDS]]
        cursor.execute(count, [ids, _COUNTED_TO, [one.lexeme for one in first], [one.query for one in first]])
        counts = cursor.fetchall()
    among = (
        Document.objects.filter(bucket__in=buckets) if documents is None else Document.objects.filter(pk__in=documents)
    )
    all_passages = among.aggregate(n=Sum("live__chunk_count"))["n"] or 0
    return [_Word(word, number, _weight(number, all_passages)) for word, number in counts if number]


def _weight(count: int, of: int) -> float:
    """How much a word says that `count` of the passages have."""
    return math.log(1 + (max(of, count) - count + 0.5) / (count + 0.5))

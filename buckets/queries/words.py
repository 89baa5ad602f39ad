"""Passages by the words of a question, from PostgreSQL's full-text index.

Rare words say more than frequent ones, so each word weighs by how few passages have it. To rank a passage costs more than to find
it, so only so many are ranked: all that have one of the rarer words, and of those with frequent words alone the ones that have
the most of them together. How long a search takes does not grow with the bucket.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from django.db import connection
from django.db.models import Sum

from buckets.models import Version

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_WORDS = 16
COUNTED_TO = 2_000
"""How far passages with a word are counted; from there on it is frequent, and what it says is estimated from a sample."""
RARE_CANDIDATES = 6_000
FREQUENT_CANDIDATES = 2_000
MANY_DOCUMENTS = 100
_TOGETHER = 5
_WEIGHTS = "{0.5, 0.5, 0.5, 1.0}"
_SAMPLED_VERSIONS, _SAMPLED_PASSAGES = 60, 16


@dataclass(frozen=True)
class Word:
    """A word of a question, as its stem, in how many passages it is, and what it weighs."""

    lexeme: str
    count: int = 0
    weight: float = 0.0

    @property
    def query(self) -> str:
        """Its tsquery."""
        return quoted(self.lexeme)


@dataclass(frozen=True)
class Ranked:
    """A passage's id with its score and the words that it has."""

    chunk: int
    score: float
    words: tuple[str, ...]


def quoted(lexeme: str) -> str:
    """A lexeme as a tsquery takes it."""
    return "'" + lexeme.replace("\\", "\\\\").replace("'", "''") + "'"


def by_words(
    language: str, generations: Sequence[int], query: str, limit: int, documents: list[int] | None
) -> list[Ranked]:
    """The passages of these generations that have words of the question, best first; of these documents only."""
    words = words_of(language, generations, query, documents)
    if not words:
        return []
    branches, values = _candidates(words, generations, documents)
    # A word that every passage has tells none apart, but when it is all there is, it is looked for.
    score = " + ".join(["%s * ts_rank(%s, c.search, %s::tsquery, 1)"] * len(words))
    has = " || ".join(["CASE WHEN c.search @@ %s::tsquery THEN ARRAY[%s] ELSE '{}'::text[] END"] * len(words))
    statement = f"""
        WITH candidates AS MATERIALIZED (SELECT DISTINCT c.id FROM ({branches}) c),
        best AS MATERIALIZED (
            SELECT c.id, {score} AS score FROM candidates JOIN buckets_chunk c ON c.id = candidates.id
            ORDER BY score DESC, c.id LIMIT %s
        )
        SELECT best.id, best.score, {has} FROM best JOIN buckets_chunk c ON c.id = best.id ORDER BY best.score DESC, best.id
    """  # noqa: S608 -- made of our own words; values are parameters
    for word in words:
        values += [word.weight, _WEIGHTS, word.query]
    values.append(limit)
    for word in words:
        values += [word.query, word.lexeme]
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return [Ranked(pk, float(score), tuple(has)) for pk, score, has in cursor.fetchall()]


def _candidates(words: list[Word], generations: Sequence[int], documents: list[int] | None) -> tuple[str, list[Any]]:
    """Statements that find the passages worth ranking, and their values."""
    rare: list[Word] = []
    for word in words:
        if word.count >= COUNTED_TO or sum(one.count for one in rare) + word.count > RARE_CANDIDATES:
            break
        rare.append(word)
    branches: list[tuple[str, int]] = []
    if rare:
        branches.append((_any_of(rare), RARE_CANDIDATES))
    frequent = words[len(rare) :][:_TOGETHER]
    fewest = 1 if not rare else 2
    for count in range(len(frequent), fewest - 1, -1):
        # Without the next word: those that have it came before.
        without = [f"!{word.query}" for word in frequent[count : count + 1]]
        branches += [(" & ".join([word.query for word in frequent[:count]] + without), FREQUENT_CANDIDATES)]
    among = _among(documents)
    one = f"""(SELECT c.id FROM buckets_chunk c JOIN buckets_version v ON v.id = c.version_id AND v.is_found
        WHERE c.search @@ %s::tsquery {among} LIMIT %s)"""  # noqa: S608 -- as above
    values: list[Any] = []
    for query, most in branches:
        values += [f"({query}) & {key_of(generations)}", *([] if documents is None else [documents]), most]
    # One branch after the other, until there are enough.
    values.append((RARE_CANDIDATES if rare else 0) + (FREQUENT_CANDIDATES if frequent else 0))
    every = " UNION ALL ".join([one] * len(branches))
    return f"SELECT every.id FROM ({every}) every LIMIT %s", values  # noqa: S608 -- as above


def key_of(generations: Sequence[int]) -> str:
    """The tsquery that finds passages of these generations."""
    return "(" + " | ".join(quoted(f" g{one}") for one in generations) + ")"


def _among(documents: list[int] | None) -> str:
    """Holds a passage to these documents. Of many, each passage with a word is asked, instead of all of theirs being looked up."""
    if documents is None:
        return ""
    return f"AND c.document_id{' + 0' if len(documents) > MANY_DOCUMENTS else ''} = ANY(%s)"


def _any_of(words: list[Word]) -> str:
    return " | ".join(word.query for word in words)


def words_of(language: str, generations: Sequence[int], query: str, documents: list[int] | None = None) -> list[Word]:
    """The words of the question that some passage has, the rarest first, with how much each says."""
    among = _among(documents)
    count = f"""
        SELECT word, (SELECT count(*) FROM (
            SELECT 1 FROM buckets_chunk c WHERE c.search @@ quoted::tsquery {among} LIMIT %s) few)
        FROM unnest(%s::text[], %s::text[]) AS asked (word, quoted)
    """  # noqa: S608 -- as above
    with connection.cursor() as cursor:
        cursor.execute("SELECT tsvector_to_array(to_tsvector(%s::regconfig, %s))", [language, query])
        lexemes = cursor.fetchone()[0][: MOST_WORDS * 4]
        first = [Word(one) for one in sorted(lexemes, key=lambda one: -len(one))[:MOST_WORDS]]
        key = key_of(generations)
        values: list[Any] = [] if documents is None else [documents]
        values += [COUNTED_TO, [one.lexeme for one in first], [f"{one.query} & {key}" for one in first]]
        cursor.execute(count, values)
        words = [Word(word, number) for word, number in cursor.fetchall() if number]
    passages = passages_in(generations, documents)
    words = _estimated(words, generations, passages)
    weighed = [replace(word, weight=_weight(word.count, passages)) for word in words]
    return sorted(weighed, key=lambda word: (word.count, word.lexeme))


def passages_in(generations: Sequence[int], documents: list[int] | None = None) -> int:
    """How many passages the generations have that can be found, of these documents only."""
    rows = Version.objects.filter(generation__in=generations, is_found=True)
    rows = rows if documents is None else rows.filter(document__in=documents)
    return rows.aggregate(n=Sum("chunk_count"))["n"] or 0


def _estimated(words: list[Word], generations: Sequence[int], passages: int) -> list[Word]:
    """Of frequent words, how many passages have them as far as a sample tells; always the same one, so answers are, too."""
    frequent = [word for word in words if word.count >= COUNTED_TO]
    if not frequent:
        return words
    counts = ", ".join(["count(*) FILTER (WHERE c.search @@ %s::tsquery)"] * len(frequent))
    statement = f"""
        SELECT count(*), {counts} FROM (
            SELECT id, chunk_count FROM buckets_version WHERE generation_id = ANY(%s) AND is_found AND chunk_count > 0
            ORDER BY hashint8(id) LIMIT %s
        ) v CROSS JOIN LATERAL (
            SELECT search FROM buckets_chunk WHERE version_id = v.id
                AND number > (hashint8(v.id)::bigint & 1048575) %% greatest(v.chunk_count - %s, 1)
            ORDER BY number LIMIT %s
        ) c
    """  # noqa: S608 -- as above
    values: list[Any] = [word.query for word in frequent]
    values += [list(generations), _SAMPLED_VERSIONS, _SAMPLED_PASSAGES, _SAMPLED_PASSAGES]
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        sampled, *found = cursor.fetchone()
    share = {word.lexeme: count / max(sampled, 1) for word, count in zip(frequent, found, strict=True)}
    return [
        replace(word, count=max(COUNTED_TO, round(share[word.lexeme] * passages))) if word.lexeme in share else word
        for word in words
    ]


def _weight(count: int, of: int) -> float:
    """How much a word says that `count` of the passages have."""
    return math.log(1 + (max(of, count) - count + 0.5) / (count + 0.5))

"""Asks for the meaning of a version's passages, a batch at a time, and never twice for the same text in a department."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from django.db import connection, transaction

from buckets.models import Chunk, Vector, size_for
from buckets.queries.meaning import literal
from integrations import services as integrations
from integrations.providers import EmbeddingError

if TYPE_CHECKING:
    from collections.abc import Callable

    from buckets.models import Version
    from integrations.models import Model

AT_ONCE = 32
PATIENCE_SECONDS = 25.0
"""Shorter than the lease, which is renewed before each request."""
WAIT_SECONDS = 15.0
"""How long files wait for a model that did not say when it may be asked again."""
SHORTEST = 200
WAITING = "It is found by its words. Its meaning follows by itself as soon as the embedding model answers: {reason}"


@dataclass
class Waits(Exception):
    """The model can't be asked now. Nothing is lost; somebody goes on after `seconds`."""

    model: Model
    reason: str
    seconds: float


@dataclass(frozen=True)
class _Text:
    chunk: int
    text: str
    digest: bytes


def embed_version(version: Version, model: Model, renew: Callable[[], None]) -> None:
    """Give each passage its vector. `renew` keeps the version ours, or raises. Raises `Waits`."""
    while batch := _without(version):
        renew()
        asked = _copied(version, model, batch)
        if not asked:
            continue
        try:
            vectors = _vectors(model, list({one.digest: one.text for one in asked}.items()), renew)
        except EmbeddingError as error:
            seconds = WAIT_SECONDS if error.retry_after is None else error.retry_after
            raise Waits(model, WAITING.format(reason=error), seconds) from error
        with transaction.atomic():
            renew()
            _keep(version, model, asked, vectors)


def _without(version: Version) -> list[_Text]:
    """The next passages that have no vector yet."""
    vectors = Vector.objects.filter(generation=version.generation_id or 0, chunk__version=version)
    rows = Chunk.objects.filter(version=version).exclude(pk__in=vectors.values("pk")).order_by("number")
    found = []
    for pk, heading, text in rows.values_list("pk", "heading", "text")[:AT_ONCE]:
        whole = f"{heading}\n\n{text}"
        found.append(_Text(pk, whole, sha256(whole.encode("utf-8", "replace")).digest()))
    return found


def _copied(version: Version, model: Model, batch: list[_Text]) -> list[_Text]:
    """Take vectors of the same texts that are there already; returns the texts that nobody asked about yet."""
    statement = """
        INSERT INTO buckets_vector (chunk_id, department_id, bucket_id, generation, model, size, digest, embedding)
        SELECT asked.chunk, %s, c.bucket_id, %s, same.model, same.size, same.digest, same.embedding
        FROM unnest(%s::bigint[], %s::bytea[]) AS asked (chunk, digest)
        JOIN buckets_chunk c ON c.id = asked.chunk
        CROSS JOIN LATERAL (
            SELECT * FROM buckets_vector v WHERE v.department_id = %s AND v.model = %s AND v.digest = asked.digest LIMIT 1
        ) same
        ON CONFLICT DO NOTHING RETURNING chunk_id
    """
    chunks, digests = [one.chunk for one in batch], [one.digest for one in batch]
    department = version.department_id
    with connection.cursor() as cursor:
        cursor.execute(statement, [department, version.generation_id, chunks, digests, department, model.pk])
        done = {pk for (pk,) in cursor.fetchall()}
    return [one for one in batch if one.chunk not in done]


def _vectors(model: Model, texts: list[tuple[bytes, str]], renew: Callable[[], None]) -> dict[bytes, list[float]]:
    """Vectors by digest. Of what the model refuses half is asked, and of a single text its first half."""
    renew()
    try:
        made = integrations.embed(model, [text for _, text in texts], seconds=PATIENCE_SECONDS)
    except EmbeddingError as error:
        if not error.is_refusal:
            raise
        if len(texts) > 1:
            half = len(texts) // 2
            return _vectors(model, texts[:half], renew) | _vectors(model, texts[half:], renew)
        digest, text = texts[0]
        if len(text) < SHORTEST:
            raise
        return _vectors(model, [(digest, text[: len(text) // 2])], renew)
    return {digest: vector for (digest, _), vector in zip(texts, made, strict=True)}


def _keep(version: Version, model: Model, asked: list[_Text], vectors: dict[bytes, list[float]]) -> None:
    statement = """
        INSERT INTO buckets_vector (chunk_id, department_id, bucket_id, generation, model, size, digest, embedding)
        SELECT made.chunk, %s, c.bucket_id, %s, %s, made.size, made.digest, made.embedding::halfvec
        FROM unnest(%s::bigint[], %s::bytea[], %s::int[], %s::text[]) AS made (chunk, digest, size, embedding)
        JOIN buckets_chunk c ON c.id = made.chunk
        ON CONFLICT DO NOTHING
    """
    values: list[Any] = [version.department_id, version.generation_id, model.pk]
    values += [[one.chunk for one in asked], [one.digest for one in asked]]
    values += [[size_for(len(vectors[one.digest])) for one in asked], [literal(vectors[one.digest]) for one in asked]]
    with connection.cursor() as cursor:
        cursor.execute(statement, values)

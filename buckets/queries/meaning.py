"""Passages by the meaning of a question: the vectors next to its own, by the angle between them."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from django.db import connection, transaction

from buckets.models import size_for
from integrations import services as integrations
from integrations.providers import EmbeddingError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from integrations.models import Model

PATIENCE_SECONDS = 5.0
"""How long a question waits for its vector. An agent rather goes on with the words."""
REST_SECONDS = 10.0
"""A model that gave no vector is not asked again for so long, so that only one search waits for it."""
EXACT_UP_TO = 10_000
"""Among fewer passages every vector is compared; among more the index finds the nearest."""
_REMEMBERED = 512
_NEAR_MORE = 4
_SCANNED = 20_000


class _Remembered:
    """Vectors of the last questions, and which models rest."""

    def __init__(self) -> None:
        self._vectors: OrderedDict[tuple[int, str], list[float]] = OrderedDict()
        self._rests: dict[int, tuple[float, str]] = {}
        self._lock = threading.Lock()

    def vector(self, model: Model, text: str) -> list[float]:
        """The vector of a question. Raises `EmbeddingError`."""
        key = (model.pk, text)
        with self._lock:
            if (found := self._vectors.get(key)) is not None:
                self._vectors.move_to_end(key)
                return found
            until, message = self._rests.get(model.pk, (0.0, ""))
        if until > time.monotonic():
            raise EmbeddingError(message)
        try:
            (made,) = integrations.embed(model, [text], seconds=PATIENCE_SECONDS)
        except EmbeddingError as error:
            with self._lock:
                self._rests[model.pk] = (time.monotonic() + REST_SECONDS, str(error))
            raise
        with self._lock:
            self._rests.pop(model.pk, None)
            self._vectors[key] = made
            while len(self._vectors) > _REMEMBERED:
                self._vectors.popitem(last=False)
        return made

    def forget(self) -> None:
        """Know nothing."""
        with self._lock:
            self._vectors.clear()
            self._rests.clear()


remembered = _Remembered()


def literal(vector: Sequence[float]) -> str:
    """A vector as pgvector reads it, filled up with zeros to the length at which it is kept."""
    numbers = [f"{one:.6g}" for one in vector] + ["0"] * (size_for(len(vector)) - len(vector))
    return f"[{','.join(numbers)}]"


def by_meaning(
    model: Model, generations: Sequence[int], query: str, limit: int, documents: list[int] | None, passages: int
) -> list[tuple[int, float]]:
    """Ids of the passages next to the question, nearest first, with the cosine of the angle. Raises `EmbeddingError`."""
    vector = remembered.vector(model, query)
    size = size_for(len(vector))
    is_exact = passages <= EXACT_UP_TO
    # Added to nothing, the distance can't come from the index, which would stop before it has seen all of a small bucket.
    among = ""
    if documents is not None:
        # Of few documents the passages are looked up first; of many each is asked as the index comes by it.
        few = "AND v.chunk_id IN (SELECT id FROM buckets_chunk WHERE document_id = ANY(%s))"
        many = "AND (SELECT c.document_id FROM buckets_chunk c WHERE c.id = v.chunk_id) = ANY(%s)"
        among = few if is_exact else many
    near = f"v.embedding::halfvec({size}) <=> %s::halfvec({size})"
    order = f"({near}) + 0" if is_exact else near
    statement = f"""
        WITH near AS MATERIALIZED (
            SELECT v.chunk_id, {near} AS distance FROM buckets_vector v
            WHERE v.size = {size} AND v.model = %s AND v.generation = ANY(%s) {among}
            ORDER BY {order} LIMIT %s
        )
        SELECT near.chunk_id, 1 - near.distance FROM near
        JOIN buckets_chunk c ON c.id = near.chunk_id JOIN buckets_version v ON v.id = c.version_id AND v.is_found
        ORDER BY near.distance, near.chunk_id LIMIT %s
    """  # noqa: S608 -- numbers of ours; values are parameters
    asked = literal(vector)
    values: list[Any] = [asked, model.pk, list(generations)]
    values += [] if documents is None else [documents]
    values += [asked, limit * _NEAR_MORE, limit]
    with transaction.atomic(), connection.cursor() as cursor:
        # Past passages of other buckets the index goes on, until there are enough.
        cursor.execute(
            "SELECT set_config('hnsw.iterative_scan', 'relaxed_order', true), set_config('hnsw.ef_search', %s, true),"
            " set_config('hnsw.max_scan_tuples', %s, true)",
            [str(max(100, limit * 2)), str(_SCANNED)],
        )
        cursor.execute(statement, values)
        return [(pk, float(similarity)) for pk, similarity in cursor.fetchall() if similarity > 0]

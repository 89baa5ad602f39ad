"""Ranking by words stays bounded, and both indexes serve behind the wall."""

from __future__ import annotations

from contextlib import contextmanager

import pytest
from django.db import connection

from buckets.models import Chunk, Vector
from buckets.queries import search
from buckets.queries.meaning import literal
from buckets.queries.words import by_words, words_of


@pytest.fixture
def rooms(add, bucket):
    """Forty passages with words that most have, and one that has two of them together."""
    texts = [f"{'Parking' if number % 2 else 'Garden'} of room {number}." for number in range(40)]
    texts.append("Parking in the garden of room X.")
    add("house.md", "\n\n".join(f"# Part\n\n{text}" for text in texts))
    return bucket


@pytest.fixture
def frequent(monkeypatch):
    """Every word that more than a few passages have is frequent, and few of these are ranked."""
    monkeypatch.setattr("buckets.queries.words.COUNTED_TO", 3)
    monkeypatch.setattr("buckets.queries.words.FREQUENT_CANDIDATES", 5)


def test_of_frequent_words_the_passages_that_have_them_together_come_first(rooms, frequent):
    found = search([rooms], "parking garden room", 50)
    assert found[0].text == "Parking in the garden of room X."
    assert set(found[0].words) == {"park", "garden", "room"}
    assert len(found) == 5


def test_a_rare_word_is_found_whatever_else_is_asked(rooms, frequent):
    assert search([rooms], "room garden parking 17")[0].text == "Parking of room 17."


def test_how_frequent_a_word_is_comes_from_a_sample(rooms, frequent):
    counts = {word.lexeme: word.count for word in words_of("english", [rooms.generation_id], "parking garden room")}
    assert counts["room"] == 41
    assert 15 <= counts["park"] <= 26
    assert 15 <= counts["garden"] <= 26
    weights = {word.lexeme: word.weight for word in words_of("english", [rooms.generation_id], "parking garden room")}
    assert weights["room"] < weights["park"]


def test_bounded_ranking_finds_what_ranking_of_all_finds(rooms, monkeypatch):
    every = by_words("english", [rooms.generation_id], "parking garden 17", 2, None)
    monkeypatch.setattr("buckets.queries.words.COUNTED_TO", 3)
    assert [one.chunk for one in by_words("english", [rooms.generation_id], "parking garden 17", 2, None)] == [
        one.chunk for one in every
    ]


@contextmanager
def no_reading_of_whole_tables():
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off")
        yield cursor


def test_the_index_of_words_leaves_other_generations_out_by_itself(rooms):
    with no_reading_of_whole_tables() as cursor:
        query = f"'park' & ' g{rooms.generation_id}'"
        cursor.execute("EXPLAIN SELECT id FROM buckets_chunk WHERE search @@ %s::tsquery", [query])
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "Bitmap Index Scan on chunk_search" in plan
    assert Chunk.objects.extra(where=["search @@ %s::tsquery"], params=["' g0'"]).count() == 0


def test_the_index_of_vectors_serves_behind_the_wall(rooms):
    chunk = Chunk.objects.first()
    vector = literal([1.0] * 200)
    Vector.objects.create(
        chunk=chunk,
        department=chunk.department,
        bucket=rooms,
        generation=chunk.generation,
        model=1,
        size=256,
        digest=b"0" * 32,
        embedding=vector,
    )
    near = "SELECT chunk_id FROM buckets_vector WHERE size = 256 AND generation = %s ORDER BY embedding::halfvec(256) <=> %s::halfvec(256)"
    with no_reading_of_whole_tables() as cursor:
        # What other tests rolled back stays in an index until it is vacuumed, and an index of neighbours looks at so many only.
        cursor.execute("REINDEX TABLE buckets_vector")
        cursor.execute(f"EXPLAIN {near} LIMIT 5", [chunk.generation, vector])
        plan = "\n".join(line for (line,) in cursor.fetchall())
        cursor.execute(f"{near} LIMIT 5", [chunk.generation, vector])
        assert cursor.fetchall() == [(chunk.pk,)]
    assert "Index Scan using vector_nearest_256" in plan
    assert "current_setting" in plan

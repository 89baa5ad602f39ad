"""Search among a million passages of two departments: how long it takes, with filters and without, and by which indexes.

The rows are made in the database, then its indexes, then PostgreSQL is asked as every page asks it: as the ordinary role, behind
row-level security. A question's vector comes from the fake embedding model over real HTTP, and is part of what is measured.
"""

from __future__ import annotations

import random
import sys
import time
from contextlib import contextmanager
from datetime import date, timedelta
from statistics import median, quantiles
from typing import TYPE_CHECKING, Any

from django.db import connection

from accounts.models import Department, User
from buckets import services
from buckets.models import Bucket, Content, Document, State, Version
from buckets.queries import Only, find
from integrations import services as integrations
from mindloom import wall
from tests.benchmarks import people
from tests.benchmarks.house import House, until
from tests.benchmarks.report import Row
from tests.fakes.embedder import CONCEPTS, DIMENSIONS, concepts, vector

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TARGET_MS = 200
SIZE = 256
OF_DOCUMENT = 200
PHRASES, BASES = 4_000, 2_999
SMALL = 5_000
_DROP = "DROP INDEX chunk_search; DROP INDEX vector_nearest_{size}; DROP INDEX vector_by_text; DROP INDEX vector_generation;"
_NEAREST = f"USING hnsw ((embedding::halfvec({SIZE})) halfvec_cosine_ops) WHERE size = {SIZE}"
_INDEXES = (
    "CREATE INDEX chunk_search ON buckets_chunk USING gin (search)",
    "CREATE INDEX vector_by_text ON buckets_vector (department_id, model, digest)",
    "CREATE INDEX vector_generation ON buckets_vector (generation)",
    f"CREATE INDEX vector_nearest_{SIZE} ON buckets_vector {_NEAREST}",
)
_PASSAGES = """
INSERT INTO buckets_chunk (document_id, version_id, bucket_id, department_id, generation, number, page, label, heading, text, language)
SELECT v.document_id, v.id, %(bucket)s, %(department)s, %(generation)s, n, 1, '', d.name,
    (SELECT string_agg(p.text, ' ') FROM phrases p WHERE p.id = ANY(ARRAY[
        abs(hashint8(v.id * 1000 + n)) %% {phrases}, abs(hashint8(v.id * 1000 + n + 7)) %% {phrases},
        abs(hashint8(v.id * 1000 + n + 77)) %% {phrases}, abs(hashint8(v.id * 1000 + n + 777)) %% {phrases},
        abs(hashint8(v.id * 1000 + n + 7777)) %% {phrases}])), 'english'
FROM buckets_version v JOIN buckets_document d ON d.id = v.document_id CROSS JOIN generate_series(1, %(each)s) n
WHERE v.generation_id = %(generation)s
"""
_VECTORS = """
INSERT INTO buckets_vector (chunk_id, department_id, bucket_id, generation, model, size, digest, embedding)
SELECT c.id, c.department_id, c.bucket_id, c.generation, %(model)s, {size}, int8send(c.id), b.value + n.value
FROM buckets_chunk c JOIN bases b ON b.id = c.id %% {bases} JOIN noises n ON n.id = (c.id / {bases} * 31 + c.id * 7) %% {bases}
"""


def measure(house: House, *, size: int, count: int) -> list[Row]:
    """p50 and p95 of each kind of search, and which indexes its statements use."""
    server = house.start("embedder", [sys.executable, "-m", "tests.fakes.embedder", "--port", "0"])
    until(lambda: server.check() and server.output.endswith("\n"), "the embedder says its port")
    began = time.monotonic()
    with wall.system("benchmark"):
        large, small = _fill(size, f"http://127.0.0.1:{int(server.output)}/v1")
    print(f"{size:,} passages made in {time.monotonic() - began:.0f} s", flush=True)
    rows, plans = [], {}
    with wall.tenant([large.department_id]):
        for name, search in _searches(large, small).items():
            search(10_000)  # caches of the system
            with _plans(plans.setdefault(name, [])):
                search(10_001)
            took = [_timed(search, number) for number in range(count)]
            rows.append(_row(f"{name}, {size:,} passages", took))
    return [*rows, _indexes(plans)]


def _searches(large: Bucket, small: Bucket) -> dict[str, Callable[[int], Any]]:
    words = [group[0] for group in concepts()]

    def ask(number: int, *, more: str = "") -> str:
        chance = random.Random(number)
        return f"{' '.join(chance.sample(words, 3))} {more}".strip()

    # Words of the first ranks stand in a large part of all passages, those of the last in few.
    return {
        "A question of frequent words": lambda n: find([large], ask(n)),
        "A question with a rare word": lambda n: find([large], ask(n, more=f"rare{n % PHRASES}x")),
        "Narrowed to a tag, 2 % of the files": lambda n: find([large], ask(n), only=Only(tags=(f"tag{n % 50}",))),
        "Narrowed to half of the tags": lambda n: find(
            [large], ask(n), only=Only(tags=tuple(f"tag{one}" for one in range(25)))
        ),
        "Narrowed to one file": lambda n: find([large], ask(n), only=Only(name=f"document {n % 900 + 100}")),
        f"A bucket of {SMALL:,} beside it": lambda n: find([small], ask(n)),
        "Both buckets": lambda n: find([large, small], ask(n)),
    }


def _timed(search: Callable[[int], Any], number: int) -> float:
    began = time.monotonic()
    found = search(number)
    took = (time.monotonic() - began) * 1000
    assert found.hits, "nothing was found"
    assert not found.notes, found.notes
    return took


def _row(name: str, took: list[float]) -> Row:
    p95 = quantiles(took, n=20)[-1]
    return Row(name, f"p50 {median(took):.0f} ms, p95 {p95:.0f} ms", "", f"p95 ≤ {TARGET_MS} ms", p95 <= TARGET_MS)


@contextmanager
def _plans(into: list[str]) -> Iterator[None]:
    """Explain each statement of a search before it is asked."""

    def explained(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if "buckets_chunk" in sql and sql.lstrip().upper().startswith(("WITH", "SELECT")):
            with context["connection"].cursor() as cursor:
                cursor.cursor.execute(f"EXPLAIN {sql}", params)
                into.append("\n".join(line for (line,) in cursor.cursor.fetchall()))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(explained):
        yield


def _indexes(plans: dict[str, list[str]]) -> Row:
    """Whether any statement reads all passages or vectors from one end to the other, and that both indexes are used."""

    def is_whole(plan: str) -> bool:
        return "Seq Scan on buckets_chunk" in plan or "Seq Scan on buckets_vector" in plan

    whole = [name for name, some in plans.items() if any(map(is_whole, some))]
    for name in whole:
        print(name, *filter(is_whole, plans[name]), sep="\n", flush=True)
    used = {
        one
        for some in plans.values()
        for plan in some
        for one in ("chunk_search", f"vector_nearest_{SIZE}")
        if one in plan
    }
    said = (
        f"{sum(map(len, plans.values()))} plans, {len(whole)} that read all passages; {' and '.join(sorted(used))} used"
    )
    return Row(
        "Plans of the same, as the ordinary role",
        said,
        "",
        "both indexes, none sequential",
        len(used) == 2 and not whole,
    )


def _fill(size: int, url: str) -> tuple[Bucket, Bucket]:
    owner = people.person()
    administrator = User.objects.create_superuser("admin@example.org", "a long enough phrase", name="Ada")
    provider = integrations.create_provider(actor=administrator, kind="openai_like", name="Meaning", base_url=url)
    model = integrations.add_model(actor=administrator, provider=provider, model_id="concepts", purpose="embedding")
    other = Department.objects.create(name="Other", slug="other")
    bench = Department.objects.get(slug="bench")
    counts = {"Large": size * 8 // 10, "Small": SMALL, "Other": size - size * 8 // 10 - SMALL}
    buckets = {}
    with connection.cursor() as cursor:
        cursor.execute(_DROP.format(size=SIZE))
        _raw(cursor)
        for name, passages in counts.items():
            buckets[name] = made = services.create_bucket(
                actor=administrator if name == "Other" else owner,
                department_id=(other if name == "Other" else bench).pk,
                name=name,
                embedding_model=model,
            )
            _passages(cursor, made, owner, passages)
            print(f"{name}: {passages:,} passages", flush=True)
        cursor.execute(_VECTORS.format(size=SIZE, bases=BASES), {"model": model.pk})
        cursor.execute("SET maintenance_work_mem = '2GB'; SET max_parallel_maintenance_workers = 2")
        for statement in _INDEXES:
            began = time.monotonic()
            cursor.execute(statement)
            print(f"{statement[:40]}: {time.monotonic() - began:.0f} s", flush=True)
        cursor.execute("RESET maintenance_work_mem; DROP TABLE phrases, bases, noises")
        cursor.execute("VACUUM ANALYZE")
    return buckets["Large"], buckets["Small"]


def _raw(cursor: Any) -> None:
    """What passages and vectors are put together from."""
    chance = random.Random(5)
    words = CONCEPTS.replace("|", " ").split()
    weights = [1 / (rank + 3) for rank in range(len(words))]
    chance.shuffle(words)
    phrases = [(n, " ".join([*chance.choices(words, weights, k=9), f"rare{n}x"])) for n in range(PHRASES)]
    bases = [vector(" ".join(chance.sample(words, 4))) for _ in range(BASES)]
    noises = [[chance.gauss(0, 0.04) for _ in range(DIMENSIONS)] for _ in range(BASES)]
    cursor.execute("CREATE TEMPORARY TABLE phrases (id int PRIMARY KEY, text text)")
    cursor.executemany("INSERT INTO phrases VALUES (%s, %s)", phrases)
    for name, rows in (("bases", bases), ("noises", noises)):
        cursor.execute(f"CREATE TEMPORARY TABLE {name} (id int PRIMARY KEY, value halfvec)")
        filled = [
            (n, f"[{','.join(f'{one:.5f}' for one in row)}{',0' * (SIZE - DIMENSIONS)}]") for n, row in enumerate(rows)
        ]
        cursor.executemany(f"INSERT INTO {name} VALUES (%s, %s)", filled)


def _passages(cursor: Any, bucket: Bucket, owner: User, passages: int) -> None:
    same = {"department_id": bucket.department_id}
    digest = f"{bucket.pk:064}"
    content = Content.objects.create(**same, sha256=digest, size_bytes=1, path="", kind="text", page_count=1)
    first = date(2026, 1, 1)
    documents = Document.objects.bulk_create(
        Document(
            bucket=bucket,
            **same,
            name=f"document {number}",
            tags=[f"tag{number % 50}"],
            dated_on=first + timedelta(days=number % 300),
        )
        for number in range(1, passages // OF_DOCUMENT + 1)
    )
    made = {"language": "english", "passage_length": "medium", "state": State.SEARCHABLE, "is_found": True}
    Version.objects.bulk_create(
        Version(
            **same,
            **made,
            document=one,
            content=content,
            generation_id=bucket.generation_id,
            number=1,
            chunk_count=OF_DOCUMENT,
            added_by=owner,
        )
        for one in documents
    )
    values = {
        "bucket": bucket.pk,
        "department": bucket.department_id,
        "generation": bucket.generation_id,
        "each": OF_DOCUMENT,
    }
    cursor.execute("ANALYZE buckets_version, buckets_document, phrases")
    cursor.execute(_PASSAGES.format(phrases=PHRASES), values)
    cursor.execute(
        "UPDATE buckets_document d SET live_id = v.id, newest_id = v.id FROM buckets_version v"
        " WHERE v.document_id = d.id AND d.bucket_id = %s",
        [bucket.pk],
    )

"""Files through a real worker, which is killed in the middle of each step."""

from __future__ import annotations

import signal

import pytest
from django.core.files.base import ContentFile
from django.db import transaction

from buckets import services
from buckets.models import Chunk, Document, Generation, GenerationState, Page, State, Vector, Version
from buckets.queries import search
from buckets.queries.meaning import remembered
from integrations import services as integrations
from mindloom import wall
from tests.fakes.embedder import Embedder
from tests.processes.harness import until

pytestmark = pytest.mark.processes
ROWS = 20_000
TABLE = "Number;Place\n" + "\n".join(f"{n};Room {n} is on floor {n % 40}" for n in range(ROWS))


def receive(stage):
    cast = stage.cast
    bucket = services.create_bucket(actor=cast.alice, department_id=cast.marketing.pk, name="Rooms")
    file = ContentFile(TABLE.encode())
    return bucket, services.add_document(actor=cast.alice, bucket=bucket, file=file, name="rooms.csv").version


def state_of(version):
    with wall.system("tests: look behind the scenes"):
        version.refresh_from_db()
        return version


@pytest.mark.parametrize("killed_in", [State.RECEIVED, State.EXTRACTED])
def test_a_worker_that_is_killed_is_followed_by_the_next(house, stage, killed_in):
    with wall.tenant([stage.cast.marketing.pk]):
        bucket, version = receive(stage)
    first = house.worker()
    until(lambda: state_of(version).state == killed_in and version.lease_until, "the step is under way")
    followed(house, first, version)
    with wall.tenant([stage.cast.marketing.pk]):
        assert Page.objects.count() == ROWS / 20
        assert Chunk.objects.count() == version.chunk_count
        assert Document.objects.get().live == version
        assert "Room 17" in search([bucket], "room 17")[0].text


def followed(house, first, version):
    """Kill the worker, let its lease end, and have another one go on."""
    first.signal(signal.SIGKILL)
    with wall.system("tests: let the lease end"):
        Version.objects.update(lease_until="2020-01-01T00:00Z")
    house.worker()
    until(lambda: state_of(version).state == State.SEARCHABLE, "the file can be searched")


def test_a_worker_that_is_killed_before_the_passages_are_found_is_followed_by_the_next(house, stage):
    with wall.tenant([stage.cast.marketing.pk]):
        bucket, version = receive(stage)
        with transaction.atomic():
            # Whoever lets passages be found needs the document for itself: the worker stays where it is killed.
            Document.objects.select_for_update(no_key=True).get(pk=version.document_id)
            first = house.worker()
            until(lambda: state_of(version).state == State.CHUNKED, "the file is cut")
            assert search([bucket], "room 17") == []
            first.signal(signal.SIGKILL)
        followed(house, first, version)
        assert Chunk.objects.count() == state_of(version).chunk_count
        assert Document.objects.get().live == version
        assert "Room 17" in search([bucket], "room 17")[0].text


def test_a_worker_that_is_told_to_stop_lets_the_file_go_at_once(house, stage):
    with wall.tenant([stage.cast.marketing.pk]):
        _, version = receive(stage)
    first = house.worker()
    until(lambda: state_of(version).lease_until, "the file is being read")
    first.signal(signal.SIGTERM)
    first.ends()
    found = state_of(version)
    assert found.state == State.SEARCHABLE or found.lease_until is None


@pytest.fixture
def embedder(stage):
    """An embedding model over real HTTP, and a bucket that uses it."""
    remembered.forget()
    with Embedder() as fake:
        provider = integrations.create_provider(
            actor=stage.cast.ada, kind="openai_like", name="Meaning", base_url=fake.url
        )
        fake.model = integrations.add_model(
            actor=stage.cast.ada, provider=provider, model_id="concepts", purpose="embedding"
        )
        yield fake


def meaningful(stage, embedder, text=TABLE):
    cast = stage.cast
    bucket = services.create_bucket(
        actor=cast.alice, department_id=cast.marketing.pk, name="Rooms", embedding_model=embedder.model
    )
    file = ContentFile(text.encode())
    return bucket, services.add_document(actor=cast.alice, bucket=bucket, file=file, name="rooms.csv").version


def test_while_the_embedding_model_is_down_a_file_waits_and_goes_on_by_itself(house, stage, embedder):
    embedder.fail(503, retry_after="6")
    with wall.tenant([stage.cast.marketing.pk]):
        bucket, version = meaningful(stage, embedder, "Every refund takes two weeks.")
    house.worker()
    house.scheduler()
    until(lambda: state_of(version).waits_until, "the file waits for the model")
    with wall.tenant([stage.cast.marketing.pk]):
        assert state_of(version).state == State.CHUNKED
        assert search([bucket], "refund")
        assert not Vector.objects.exists()

    embedder.fail(None)
    until(lambda: state_of(version).state == State.SEARCHABLE, "its meaning is known")
    remembered.forget()
    with wall.tenant([stage.cast.marketing.pk]):
        assert search([bucket], "reimbursement")[0].by_meaning.rank == 1


def test_a_worker_that_is_killed_while_it_embeds_is_followed_by_the_next(house, stage, embedder):
    with wall.tenant([stage.cast.marketing.pk]):
        _, version = meaningful(stage, embedder, TABLE[:40_000])
    first = house.worker()
    until(lambda: len(embedder.asked) > 2, "some passages are embedded")
    first.signal(signal.SIGKILL)
    with wall.system("tests: let the lease end"):
        assert state_of(version).state == State.CHUNKED
        Version.objects.update(lease_until="2020-01-01T00:00Z")
    house.worker()
    until(lambda: state_of(version).state == State.SEARCHABLE, "the file can be searched")
    with wall.tenant([stage.cast.marketing.pk]):
        assert Vector.objects.count() == Chunk.objects.count() == version.chunk_count
    assert len(embedder.texts) <= version.chunk_count + 64


def test_a_worker_that_is_killed_while_it_makes_a_generation_leaves_the_answers_as_they_were(house, stage):
    alice = stage.cast.alice
    with wall.tenant([stage.cast.marketing.pk]):
        bucket, version = receive(stage)
    house.worker()
    until(lambda: state_of(version).state == State.SEARCHABLE, "the file can be searched")

    def answers():
        with wall.tenant([stage.cast.marketing.pk]):
            bucket.refresh_from_db()
            return [hit.text for hit in search([bucket], "room 17 floor", 5)]

    before = answers()
    with wall.tenant([stage.cast.marketing.pk]):
        services.update_bucket(actor=alice, bucket=bucket, values={"passage_length": "short"})

    def under_way():
        with wall.system("tests: look behind the scenes"):
            return Chunk.objects.exclude(generation=bucket.generation_id).exists()

    until(under_way, "the next generation is being made")
    for process in house.processes:
        process.signal(signal.SIGKILL)
    assert answers() == before
    with wall.system("tests: let the lease end"):
        assert Generation.objects.get(number=2).state == GenerationState.BUILDING
        Version.objects.filter(generation__number=2).update(lease_until="2020-01-01T00:00Z")
    house.worker()
    until(lambda: answers() and bucket.passage_length == "short", "the next generation is searched")
    assert answers() != before
    with wall.tenant([stage.cast.marketing.pk]):
        services.revert_generation(actor=alice, bucket=bucket)
    assert answers() == before

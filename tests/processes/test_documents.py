"""Files through a real worker, which is killed in the middle of each step."""

from __future__ import annotations

import signal

import pytest
from django.core.files.base import ContentFile
from django.db import transaction

from buckets import services
from buckets.models import Chunk, Document, Page, State, Version
from buckets.queries import search
from mindloom import wall
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

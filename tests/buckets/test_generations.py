"""New settings are built beside what is searched, and used when they find at least as much."""

from __future__ import annotations

import pytest
from django.core.files.base import ContentFile

from audit.models import Entry
from buckets import services, worker
from buckets.models import Chunk, Document, Generation, GenerationState, State, Version
from buckets.queries import generations_of, search
from mindloom.web.errors import Conflict, Invalid, NotAllowed
from tests.buckets.conftest import read_all

RULES = "\n\n".join(f"Rule {n} is that every guest signs the book of rule {n} at the door." for n in range(40))


@pytest.fixture
def change(cast, bucket):
    """Change settings without having them built."""

    def changed(**values):
        services.update_bucket(actor=cast.alice, bucket=bucket, values=values)
        bucket.refresh_from_db()
        return bucket

    return changed


def built(bucket):
    read_all()
    bucket.refresh_from_db()
    return generations_of(bucket)


def found(bucket, query="guest book"):
    return {hit.text for hit in search([bucket], query, 50)}


def test_until_all_files_are_made_the_passages_of_before_are_searched(add, bucket, change):
    add("a.txt", RULES)
    add("b.txt", RULES.replace("door", "gate"))
    before = found(bucket)
    change(passage_length="short")
    worker.advance(worker.claim())
    bucket.refresh_from_db()
    assert found(bucket) == before
    assert generations_of(bucket).files_done == 1

    told = built(bucket)
    assert (told.live.number, told.next, told.former.number) == (2, None, 1)
    assert bucket.passage_length == "short"
    assert found(bucket).isdisjoint(before)
    assert Entry.objects.filter(action="generation.activated").exists()


def test_going_back_is_at_once_and_so_is_coming_again(add, cast, bucket, change):
    document = add("a.txt", RULES)
    before = found(bucket)
    change(passage_length="short")
    built(bucket)
    after = found(bucket)
    assert before != after
    for expected, length in ((before, "medium"), (after, "short")):
        services.revert_generation(actor=cast.alice, bucket=bucket)
        bucket.refresh_from_db()
        assert (found(bucket), bucket.passage_length) == (expected, length)
        document.refresh_from_db()
        assert document.live.generation == document.newest.generation == bucket.generation


def test_what_was_added_since_is_added_before_going_back(add, cast, bucket, change):
    add("a.txt", RULES)
    change(passage_length="short")
    built(bucket)
    add("new.txt", "Parking is free.")
    services.revert_generation(actor=cast.alice, bucket=bucket)
    bucket.refresh_from_db()
    assert bucket.passage_length == "short"

    built(bucket)
    assert bucket.passage_length == "medium"
    assert found(bucket, "parking") == {"Parking is free."}


def test_what_is_added_while_it_is_built_is_in_both(add, cast, bucket, change):
    add("a.txt", RULES)
    change(passage_length="short")
    services.add_document(actor=cast.alice, bucket=bucket, file=ContentFile(b"Parking is free."), name="new.txt")
    services.add_document(actor=cast.alice, bucket=bucket, file=ContentFile(b"No rules."), name="a.txt")
    built(bucket)
    assert bucket.passage_length == "short"
    assert found(bucket, "parking") == {"Parking is free."}
    assert found(bucket, "rules guest") == {"No rules."}


@pytest.fixture
def worse(add, cast, bucket, change):
    """A generation that loses a question: words of another language have other stems."""
    document = add("fees.txt", "Fees are changing.")
    for n in range(6):
        add(f"{n}.txt", f"The fee of room {n}.")
    services.save_question(actor=cast.alice, bucket=bucket, text="fee changed", document=document)
    change(language="simple")
    return document


def test_a_generation_that_finds_less_waits_and_says_what_got_worse(bucket, worse):
    told = built(bucket)
    assert told.next.state == GenerationState.HELD
    assert told.next.report["worse"] == ["fee changed"]
    assert (told.next.report["before"], told.next.report["after"]) == (1, 0)
    assert bucket.language == "english"
    assert "Fees are changing." in found(bucket, "fee changed")


def test_it_can_be_used_all_the_same(cast, bucket, worse):
    built(bucket)
    services.adopt_generation(actor=cast.alice, bucket=bucket)
    bucket.refresh_from_db()
    assert bucket.language == "simple"
    assert "Fees are changing." not in found(bucket, "fee changed")


def test_it_can_be_thrown_away(cast, bucket, worse):
    built(bucket)
    services.discard_generation(actor=cast.alice, bucket=bucket)
    told = generations_of(bucket)
    assert (told.live.number, told.next) == (1, None)
    services.sweep_documents()
    assert set(Chunk.objects.values_list("generation", flat=True)) == {told.live.pk}
    assert Version.objects.filter(generation=None).count() == 0
    with pytest.raises(Conflict, match="Nothing is being built"):
        services.discard_generation(actor=cast.alice, bucket=bucket)


def test_a_generation_that_finds_as_much_goes_live_by_itself(add, cast, bucket, change):
    document = add("fees.txt", "Fees are changing.")
    services.save_question(actor=cast.alice, bucket=bucket, text="fees", document=document)
    change(language="simple")
    told = built(bucket)
    assert told.live.number == 2
    assert told.live.report == {"asked": 1, "before": 1, "after": 1, "worse": [], "better": [], "failed": []}


def test_settings_of_before_throw_away_what_is_built(add, bucket, change):
    add("a.txt", RULES)
    change(passage_length="short")
    change(description="The same settings, so it goes on.")
    assert generations_of(bucket).next.passage_length == "short"
    change(passage_length="medium")
    assert generations_of(bucket).next is None


def test_a_worker_that_dies_leaves_the_last_step_to_the_scheduler(add, bucket, change, monkeypatch):
    add("a.txt", RULES)
    change(passage_length="short")
    with monkeypatch.context() as patch:
        patch.setattr("buckets.worker.pipeline.settle", lambda _: None)
        read_all()
    assert Generation.objects.get(number=2).state == GenerationState.BUILDING
    services.sweep_documents()
    bucket.refresh_from_db()
    assert bucket.passage_length == "short"


def test_a_file_that_fails_stays_failed_and_can_be_tried_again(add, cast, bucket, change, settings):
    add("a.txt", RULES)
    settings.DOCUMENT_MAX_CHARS = 10
    broken = add("b.txt", "Parking is free.")
    assert broken.newest.state == State.FAILED
    change(passage_length="short")
    assert built(bucket).live.number == 2
    settings.DOCUMENT_MAX_CHARS = 10_000
    services.retry_document(actor=cast.alice, document=broken)
    read_all()
    assert found(bucket, "parking") == {"Parking is free."}


def test_questions_are_kept_once_and_only_with_a_file_of_the_bucket(add, cast, bucket):
    document = add("a.txt", RULES)
    save = {"actor": cast.alice, "bucket": bucket, "text": " Who  signs? ", "document": document}
    assert services.save_question(**save) == services.save_question(**save)
    for wrong in ({"text": "  "}, {"text": "x" * 1001}, {"document": None}):
        with pytest.raises(Invalid) as refused:
            services.save_question(**(save | wrong))
        assert list(refused.value.fields) == list(wrong)
    with pytest.raises(NotAllowed):
        services.save_question(**(save | {"actor": cast.bob}))
    services.remove_document(actor=cast.alice, document=Document.objects.get())
    assert not bucket.questions.exists()

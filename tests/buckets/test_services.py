"""What can be done with buckets and their files, and what is refused."""

from __future__ import annotations

from datetime import date

import pytest
from django.core.files.base import ContentFile

from audit.models import Entry
from buckets import services, worker
from buckets.models import Bucket, Chunk, Content, Document, Language, State, Version
from buckets.queries import Only, readable, search, tags_of
from mindloom import wall
from mindloom.web.errors import Conflict, Invalid, NotAllowed, NotFound
from tests.buckets.conftest import read_all

FIRST = "Parking costs five euros a day."
SECOND = "Parking is free for guests."


def test_a_bucket_belongs_to_who_makes_it(cast, bucket):
    assert (bucket.owner, bucket.department, bucket.visibility) == (cast.alice, cast.marketing, "department")
    assert Entry.objects.filter(action="bucket.created", target_id=str(bucket.uuid)).exists()


@pytest.mark.parametrize("who", ["carol", "mallory", "nora"])
def test_viewers_and_strangers_make_none(cast, in_marketing, who):
    with pytest.raises(NotAllowed):
        services.create_bucket(actor=getattr(cast, who), department_id=cast.marketing.pk, name="Mine")


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"name": "  "}, "name"),
        ({"name": "x" * 81}, "name"),
        ({"name": "a\x00b"}, "name"),
        ({"name": "Fine", "language": "klingon"}, "language"),
        ({"name": "Fine", "visibility": "secret"}, "visibility"),
        ({"name": "Fine", "passage_length": "endless"}, "passage_length"),
        ({"name": "rules"}, "name"),
    ],
)
def test_wrong_values_are_named(cast, bucket, values, field):
    with pytest.raises(Invalid) as refused:
        services.create_bucket(actor=cast.alice, department_id=cast.marketing.pk, **values)
    assert list(refused.value.fields) == [field]


def test_a_file_of_the_same_name_is_the_next_version(add, bucket):
    add("parking.txt", FIRST)
    document = add("parking.txt", SECOND)

    assert (document.live.number, document.live.state) == (2, State.SEARCHABLE)
    assert [hit.text for hit in search([bucket], "parking")] == [SECOND]
    assert Version.objects.get(number=1).state == State.REPLACED


def test_the_same_file_again_changes_nothing(add, cast, bucket):
    before = add("parking.txt", FIRST)
    again = services.add_document(actor=cast.alice, bucket=bucket, file=ContentFile(FIRST.encode()), name="parking.txt")
    assert again.is_known
    assert again.version == before.newest


def test_until_the_new_version_is_ready_the_old_one_is_found(add, cast, bucket):
    add("parking.txt", FIRST)
    services.add_document(actor=cast.alice, bucket=bucket, file=ContentFile(SECOND.encode()), name="parking.txt")
    assert [hit.text for hit in search([bucket], "parking")] == [FIRST]


def test_a_version_that_fails_leaves_the_old_one(add, bucket):
    add("parking.txt", FIRST)
    document = add("parking.txt", b"\x89PNG\r\n\x1a\n" + b"\x00" * 99)
    assert (document.newest.state, document.live.number) == (State.FAILED, 1)
    assert [hit.text for hit in search([bucket], "parking")] == [FIRST]


def test_a_removed_file_is_not_found_and_its_bytes_are_cleared_away(add, cast, bucket, settings, tmp_path, monkeypatch):
    document = add("parking.txt", FIRST)
    services.remove_document(actor=cast.alice, document=document)
    assert search([bucket], "parking") == []
    assert not Chunk.objects.exists()

    monkeypatch.setattr("buckets.services.sweeping.UNUSED_FOR", -services.sweeping.UNUSED_FOR)
    services.sweep_documents()
    assert not Content.objects.exists()
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_failed_file_can_be_tried_again(add, cast, settings):
    settings.DOCUMENT_MAX_CHARS = 10
    document = add("parking.txt", FIRST)
    assert "more than 10 characters" in document.newest.reason

    settings.DOCUMENT_MAX_CHARS = 10_000
    services.retry_document(actor=cast.alice, document=document)
    read_all()
    document.newest.refresh_from_db()
    assert (document.newest.state, document.newest.reason) == (State.SEARCHABLE, "")


def test_what_has_not_failed_is_not_tried_again(add, cast):
    with pytest.raises(Conflict, match="has not failed"):
        services.retry_document(actor=cast.alice, document=add("parking.txt", FIRST))


@pytest.mark.parametrize(("content", "words"), [(b"", "empty"), (b"x" * 2_000, "larger")])
def test_empty_and_too_large_files_are_refused_at_once(cast, bucket, settings, content, words):
    settings.DOCUMENT_MAX_BYTES = 1_024
    with pytest.raises(Invalid) as refused:
        services.add_document(actor=cast.alice, bucket=bucket, file=ContentFile(content), name="a.txt")
    assert words in refused.value.fields["file"][0]
    assert not Document.objects.exists()


@pytest.mark.parametrize("who", ["bob", "carol", "mallory"])
def test_only_owner_and_managers_add_files(cast, bucket, who):
    with pytest.raises((NotAllowed, NotFound)):
        services.add_document(actor=getattr(cast, who), bucket=bucket, file=ContentFile(b"x"), name="a.txt")


def test_names_come_without_folders_and_surprises(add):
    assert add("../../etc/pass\u202ewd.txt", FIRST).name == "passwd.txt"


def test_a_paste_is_a_file_of_markdown(cast, bucket):
    made = services.paste_text(actor=cast.alice, bucket=bucket, name="House rules", text="# Noise\n\nNone after ten.")
    read_all()
    assert made.document.name == "House rules.md"
    assert search([bucket], "noise")[0].heading == "Noise"


def test_changed_passages_take_over_when_all_are_made(add, cast, bucket):
    long = "\n\n".join(f"Rule {n} is that every guest signs the book of rule {n} at the door." for n in range(40))
    before = add("rules.txt", long)
    services.update_bucket(actor=cast.alice, bucket=bucket, values={"passage_length": "short"})
    assert Chunk.objects.filter(version=before.newest).exists()
    assert search([bucket], "guest book")

    read_all()
    bucket.refresh_from_db()
    document = Document.objects.get(pk=before.pk)
    assert document.live != before.live
    assert document.live.number == 1
    assert document.live.chunk_count > before.live.chunk_count
    assert [hit.version for hit in search([bucket], "guest book", 3)] == [1, 1, 1]
    assert {hit.text for hit in search([bucket], "guest book", 50)} == set(
        Chunk.objects.filter(version=document.live).values_list("text", flat=True)
    )


def test_the_language_of_a_bucket_brings_words_to_their_stems(add, cast, bucket):
    services.update_bucket(actor=cast.alice, bucket=bucket, values={"language": Language.GERMAN})
    bucket.refresh_from_db()
    add("regeln.txt", "Die Gebühren werden jährlich angepasst.")
    assert search([bucket], "Gebühr jährliche")


def test_an_archived_bucket_takes_nothing_and_is_not_read(add, cast, bucket):
    add("parking.txt", FIRST)
    services.archive_bucket(actor=cast.alice, bucket=bucket)
    bucket.refresh_from_db()
    assert readable(cast.alice, [str(bucket.uuid)]) == []
    with pytest.raises(Conflict, match="archived"):
        services.add_document(actor=cast.alice, bucket=bucket, file=ContentFile(b"x"), name="a.txt")
    services.restore_bucket(actor=cast.alice, bucket=bucket)
    assert readable(cast.alice, [str(bucket.uuid)]) == [bucket]


def test_a_bucket_is_deleted_by_its_name_only(add, cast, bucket):
    add("parking.txt", FIRST)
    with pytest.raises(Invalid) as refused:
        services.delete_bucket(actor=cast.alice, bucket=bucket, confirm="rules")
    assert "Rules" in refused.value.fields["confirm"][0]
    services.delete_bucket(actor=cast.alice, bucket=bucket, confirm="Rules")
    assert not any(model.objects.exists() for model in (Bucket, Document, Chunk))


def test_a_private_bucket_is_its_owners_and_the_managers(cast, in_marketing):
    own = services.create_bucket(actor=cast.bob, department_id=cast.marketing.pk, name="Own", visibility="private")
    seen = [who for who in ("alice", "bob", "carol", "mallory") if readable(getattr(cast, who), [str(own.uuid)])]
    assert seen == ["alice", "bob"]


def test_what_is_shared_with_everyone_is_found_behind_the_wall(add, cast, bucket):
    add("parking.txt", FIRST)
    with wall.tenant([cast.finance.pk]):
        assert not Chunk.objects.exists()
    services.update_bucket(actor=cast.alice, bucket=bucket, values={"visibility": "everyone"})
    with wall.tenant([cast.finance.pk]):
        (found,) = readable(cast.mallory, [str(bucket.uuid)])
        assert search([found], "parking")[0].text == FIRST
        assert not Chunk.objects.filter(document__name="parking.txt").delete()[0]


# --- what a search is narrowed to ---


@pytest.fixture
def three(add, cast):
    """Three files with the same words, told apart by tags, names and dates."""
    said = {"a.txt": ["prices", "guests"], "b.txt": ["guests"], "minutes.txt": []}
    made = {name: add(name, f"Parking costs money, says {name}.") for name in said}
    for day, (name, tags) in enumerate(said.items(), start=1):
        values = {"tags": tags, "dated_on": date(2026, 3, day)}
        services.change_document(actor=cast.alice, document=made[name], values=values)
    return made


@pytest.mark.parametrize(
    ("only", "names"),
    [
        (Only(), {"a.txt", "b.txt", "minutes.txt"}),
        (Only(tags=("prices",)), {"a.txt"}),
        (Only(tags=("prices", "guests")), {"a.txt", "b.txt"}),
        (Only(name="MIN"), {"minutes.txt"}),
        (Only(since=date(2026, 3, 2)), {"b.txt", "minutes.txt"}),
        (Only(until=date(2026, 3, 2), tags=("guests",)), {"a.txt", "b.txt"}),
        (Only(tags=("nobody",)), set()),
    ],
)
def test_a_search_is_narrowed_to_some_documents(three, bucket, only, names):
    assert {hit.document_name for hit in search([bucket], "what does parking cost", only=only)} == names


def test_a_frequent_word_is_found_in_the_documents_that_are_meant(add, bucket, monkeypatch):
    monkeypatch.setattr("buckets.queries.words.RARE_CANDIDATES", 3)
    rare, often = add("rare.txt", "Turrets need parking."), add("often.txt", "Parking is free.")
    for number in range(4):
        add(f"{number}.txt", f"Parking row {number}.")
    assert [hit.document_name for hit in search([bucket], "parking turrets")] == ["rare.txt"]
    found = search([bucket], "parking turrets", only=Only(documents=(often.uuid,)))
    assert [hit.document_name for hit in found] == ["often.txt"]
    assert rare.live is not None


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"tags": ["x" * 41]}, "tags"),
        ({"tags": ["a,b"]}, "tags"),
        ({"tags": [str(n) for n in range(21)]}, "tags"),
        ({"name": "b.txt"}, "name"),
    ],
)
def test_what_cannot_be_said_of_a_document_is_named(three, cast, values, field):
    with pytest.raises(Invalid) as refused:
        services.change_document(actor=cast.alice, document=three["a.txt"], values=values)
    assert list(refused.value.fields) == [field]


def test_tags_given_with_a_file_are_added_to_those_it_has(add, cast, bucket):
    document = add("a.txt", FIRST)
    services.change_document(actor=cast.alice, document=document, values={"tags": ["Old ", "old", " Two  words"]})
    added = services.add_document(
        actor=cast.alice, bucket=bucket, file=ContentFile(FIRST.encode()), name="a.txt", tags=["New"]
    )
    assert added.document.tags == ["old", "two words", "new"]
    assert tags_of(bucket) == [("new", 1), ("old", 1), ("two words", 1)]


# --- the worker ---


def test_a_worker_that_vanished_is_followed_by_another(cast, bucket):
    made = services.add_document(actor=cast.alice, bucket=bucket, file=ContentFile(FIRST.encode()), name="a.txt")
    claimed = worker.claim()
    assert claimed == made.version
    assert worker.claim() is None
    Version.objects.update(lease_until="2020-01-01T00:00Z")
    assert worker.waiting()
    read_all()
    assert Version.objects.get().state == State.SEARCHABLE


@pytest.mark.parametrize("state", [State.EXTRACTED, State.CHUNKED])
def test_it_goes_on_with_the_step_that_was_under_way(add, bucket, state):
    document = add("a.txt", FIRST)
    Version.objects.update(state=state, lease_until="2020-01-01T00:00Z")
    Document.objects.update(live=None)
    read_all()
    assert Version.objects.get().state == State.SEARCHABLE
    assert Chunk.objects.filter(document=document).count() == 1
    assert search([bucket], "parking")


def test_a_worker_given_up_for_dead_changes_nothing(cast, bucket):
    services.add_document(actor=cast.alice, bucket=bucket, file=ContentFile(FIRST.encode()), name="a.txt")
    dead = worker.claim()
    Version.objects.update(lease_until="2020-01-01T00:00Z")
    alive = worker.claim()
    worker.advance(dead)
    assert Version.objects.get().fence == alive.fence
    assert Version.objects.get().state == State.RECEIVED
    worker.advance(alive)
    assert Version.objects.get().state == State.SEARCHABLE


def test_a_file_that_ends_its_workers_is_given_up(cast, bucket):
    services.add_document(actor=cast.alice, bucket=bucket, file=ContentFile(FIRST.encode()), name="a.txt")
    for _ in range(3):
        worker.claim()
        Version.objects.update(lease_until="2020-01-01T00:00Z")
    read_all()
    version = Version.objects.get()
    assert version.state == State.FAILED
    assert "ended 3 times" in version.reason

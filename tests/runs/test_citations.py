"""Citations: numbers of the whole run, each quote looked up again in the version of the document that it is from."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.core.files.base import ContentFile
from django.urls import reverse

from buckets import services as buckets
from buckets import worker
from buckets.models import Document, Page
from mindloom import wall
from mindloom.engine.events import KnowledgeRetrieved, RunCompleted
from runs.models import Guard, State, append
from runs.stream.citations import citations_of
from runs.worker.endings import terminal_changes
from tests import factories

LIVE = Guard(states=(State.QUEUED, State.RUNNING))
TEXT = "# Parking\n\nParking costs **five** euros a day.\n\n# Noise\n\nNone after ten o’clock."


@pytest.fixture
def document(cast, in_marketing, settings, tmp_path):
    storage = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(tmp_path)}}
    settings.STORAGES = {**settings.STORAGES, "default": storage}
    bucket = buckets.create_bucket(actor=cast.alice, department_id=cast.marketing.pk, name="Rules")
    file = ContentFile(TEXT.encode())
    made = buckets.add_document(actor=cast.alice, bucket=bucket, file=file, name="rules.md").document
    worker.work()
    return Document.objects.select_related("bucket").get(pk=made.pk)


@pytest.fixture
def answered(cast, in_marketing, document):
    """Makes a finished run of Bob's with this answer, which has looked parking up first, noise later."""

    def make(output, **changes):
        run = factories.run(factories.agent(cast.alice, cast.marketing, name=f"A{output[:20]}"), cast.bob)
        texts = ["Parking costs **five** euros a day.", "None after ten o’clock."]
        for number, text in enumerate(texts, start=1):
            passage = {"number": number, "document": "rules.md", "location": "Rules", "text": text, "version": 1}
            passage |= {"document_id": str(document.uuid), "bucket": str(document.bucket.uuid), "page": number}
            looked_up = KnowledgeRetrieved(query="q", passages=(passage | changes,), duration_ms=1)
            append(run.pk, [looked_up], guard=LIVE)
        done = RunCompleted(output=output)
        append(run.pk, [done], guard=LIVE, finished_at=datetime.now(UTC), **terminal_changes(done))
        run.refresh_from_db()
        return run

    return make


def shown(client, run):
    return client.get(reverse("runs:output", args=[run.uuid])).content.decode()


def test_numbers_of_all_look_ups_lead_to_document_version_page_and_quote(answered, document, client_as, cast):
    run = answered("Quiet after ten [2], and five euros [1].")
    page = shown(client_as(cast.carol), run)
    for number in (1, 2):
        assert f'href="#source-{number}"' in page
        assert f'id="source-{number}"' in page
        here = reverse("buckets:document", args=[document.bucket.uuid, document.uuid])
        assert f"{here}?version=1&amp;page={number}" in page
    assert page.count("it stands there") == 2
    assert "triangle-alert" not in page
    assert "None after ten" in client_as(cast.carol).get(f"{here}?version=1&page=2").content.decode()


def test_a_quote_is_held_against_the_version_it_is_from_and_not_against_a_later_one(answered, document, cast):
    run = answered("Five euros [1].")
    buckets.replace_document(actor=cast.alice, document=document, file=ContentFile(b"# Parking\n\nIt is free."))
    worker.work()
    first, second = citations_of(run, cast.bob)
    assert (first.found, first.version, first.newest, first.is_cited) == ("there", 1, 2, True)
    assert (second.found, second.is_cited) == ("there", False)


def test_a_quote_that_is_not_in_that_version_is_marked(answered, client_as, cast):
    run = answered("Five euros [1].", text="Parking costs six euros a day.")
    page = shown(client_as(cast.bob), run)
    assert "This text is not in version 1 of the document." in page
    assert 'class="cite doubt" href="#source-1"' in page


def test_a_document_whose_text_was_changed_behind_its_back_is_marked(answered, document, cast):
    run = answered("Five euros [1].")
    Page.objects.filter(number=1).update(text="Something else.")
    assert [one.found for one in citations_of(run, cast.bob)] == ["missing", "there"]


@pytest.mark.parametrize(
    ("answer", "wrong"),
    [
        ("They say “Parking costs five euros a day” [1].", []),
        ('They say "parking costs … euros a day." [1]', []),
        ("They say “Parking costs six euros a day” [1].", ["Parking costs six euros a day"]),
        ("They say “Parking costs six euros a day”, and five euros [1].", []),
    ],
)
def test_words_in_quotation_marks_are_held_against_the_page(answered, cast, answer, wrong):
    first = citations_of(answered(answer), cast.bob)[0]
    assert list(first.misquoted) == wrong
    assert first.is_doubtful == bool(wrong)


def test_numbers_that_no_passage_has_are_said(answered, client_as, cast):
    page = shown(client_as(cast.bob), answered("Five euros [1], free at night [9]."))
    assert "[9]: no passage of this run has this number." in page
    assert "#source-9" not in page


def test_a_document_that_is_gone_or_out_of_sight_is_said_so(answered, document, client_as, cast):
    run = answered("Five euros [1].")
    buckets.update_bucket(actor=cast.alice, bucket=document.bucket, values={"visibility": "private"})
    page = shown(client_as(cast.bob), run)
    assert "The document was removed, or you may no longer read it" in page
    assert str(document.uuid) not in page
    assert "it stands there" in shown(client_as(cast.alice), run)
    buckets.remove_document(actor=cast.alice, document=document)
    assert {one.found for one in citations_of(run, cast.alice)} == {"gone"}


def test_the_api_gives_citations(answered, document, client_as, cast):
    run = answered("They say “it is free of charge” [2].")
    found = client_as(cast.carol).get(f"/api/v1/runs/{run.uuid}/citations").json()
    assert [(one["number"], one["is_cited"], one["found"]) for one in found] == [
        (2, True, "there"),
        (1, False, "there"),
    ]
    assert found[0]["misquoted"] == ["it is free of charge"]
    assert found[0]["url"].endswith(f"/files/{document.uuid}/?version=1&page=2")


def test_what_is_shared_with_everyone_is_looked_up_behind_the_wall(answered, document, cast, seeing_all):
    run = answered("Five euros [1].")
    with wall.tenant([cast.finance.pk]):
        assert {one.found for one in citations_of(run, cast.mallory)} == {"gone"}
    buckets.update_bucket(actor=cast.alice, bucket=document.bucket, values={"visibility": "everyone"})
    with wall.tenant([cast.finance.pk]):
        assert {one.found for one in citations_of(run, cast.mallory)} == {"there"}

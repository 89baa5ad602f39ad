"""Generations and questions through pages and API."""

from __future__ import annotations

import pytest

from buckets import services
from mindloom import wall
from tests.buckets.conftest import read_all


@pytest.fixture
def held(add, cast, bucket):
    """A bucket whose next generation lost a question."""
    document = add("fees.txt", "Fees are changing.")
    for n in range(6):
        add(f"{n}.txt", f"The fee of room {n}.")
    services.save_question(actor=cast.alice, bucket=bucket, text="fee changed", document=document)
    services.update_bucket(actor=cast.alice, bucket=bucket, values={"language": "simple"})
    read_all()
    return bucket


@pytest.fixture
def alice(client, cast):
    client.force_login(cast.alice)
    return client


def page(client, bucket, tab, **query):
    return client.get(f"/buckets/{bucket.uuid}/{tab}/", query).content.decode()


def test_the_page_says_what_got_worse_and_what_can_be_done(alice, held):
    text = page(alice, held, "settings")
    for words in ("wait for you", "0 of 1 questions", "No longer found", "fee changed", "Use it anyway", "Throw away"):
        assert words in text
    answer = alice.post(f"/buckets/{held.uuid}/generation/", {"action": "adopt"}, follow=True)
    text = answer.content.decode()
    assert "Go back" in text
    assert "Any (words as they are), medium passages, by words" in text
    alice.post(f"/buckets/{held.uuid}/generation/", {"action": "revert"})
    assert "English, medium passages" in page(alice, held, "settings")


def test_what_is_wanted_stays_in_the_form_while_it_is_built(alice, add, bucket):
    add("a.txt", "Parking is free.")
    values = {"name": "Rules", "visibility": "department", "language": "german", "passage_length": "medium"}
    alice.post(f"/buckets/{bucket.uuid}/settings/", values)
    text = page(alice, bucket, "settings")
    assert '<option value="german" selected>' in text
    assert "0 of 1 file ready" in text


def test_a_question_is_kept_from_the_search_and_asked_again(alice, add, bucket):
    document = add("a.txt", "Parking is free.")
    assert "Answers it" in page(alice, bucket, "search", q="parking")
    address = f"/buckets/{bucket.uuid}/questions/"
    said = alice.post(address, {"text": "parking", "document": str(document.uuid)}, follow=True).content.decode()
    assert "The question is kept" in said
    assert "found</span>" in page(alice, bucket, "search", check="1").replace("\n", "")
    with wall.system("tests: look behind the scenes"):
        kept = bucket.questions.get()
    alice.post(f"{address}{kept.uuid}/remove/")
    assert "None yet" in page(alice, bucket, "search")
    refused = alice.post(address, {"text": "parking", "document": "nonsense"}, follow=True).content.decode()
    assert "Choose the file of this bucket" in refused


def test_the_api_decides_too(alice, held):
    address = f"/api/v1/buckets/{held.uuid}/generations"
    told = alice.get(address).json()
    assert (told["live"]["number"], told["next"]["state"], told["former"]) == (1, "held", None)
    assert told["next"]["report"]["worse"] == ["fee changed"]
    after = alice.post(address, {"action": "adopt"}, "application/json").json()
    assert (after["live"]["number"], after["next"], after["former"]["number"]) == (2, None, 1)
    again = alice.post(address, {"action": "adopt"}, "application/json")
    assert (again.status_code, again.json()["code"]) == (409, "no_generation")
    assert alice.post(address, {"action": "burn"}, "application/json").status_code == 400


def test_the_api_keeps_questions_and_says_how_passages_were_found(alice, held):
    address = f"/api/v1/buckets/{held.uuid}/questions"
    (kept,) = alice.get(address).json()["results"]
    assert (kept["text"], kept["document_name"]) == ("fee changed", "fees.txt")
    assert alice.delete(f"{address}/{kept['uuid']}").status_code == 204
    wrong = {"text": "fee", "document": str(held.uuid)}
    assert alice.post(address, wrong, "application/json").status_code == 400
    found = alice.get(f"/api/v1/buckets/{held.uuid}/search", {"q": "changed fee"}).json()
    assert found["notes"] == []
    first = found["results"][0]
    assert (first["by_words"]["rank"], first["by_meaning"], first["score"]) == (1, None, 1.0)

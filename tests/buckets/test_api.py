"""The API's buckets."""

from __future__ import annotations

import pytest
from django.core.files.base import ContentFile

from buckets.models import Bucket
from tests.buckets.conftest import read_all

TEXT = b"Parking costs five euros a day."
URL = "/api/v1/buckets"
JSON = "application/json"


@pytest.fixture
def alice(client_as, cast):
    return client_as(cast.alice)


def test_from_an_empty_bucket_to_a_passage(alice, seeing_all):
    made = alice.post(URL, {"name": "Rules", "language": "english"}, content_type="application/json")
    assert made.status_code == 201
    here = f"{URL}/{made.json()['uuid']}"
    assert made["Location"] == here

    added = alice.post(f"{here}/documents", {"file": ContentFile(TEXT, "parking.txt")})
    assert added.status_code == 201
    assert (added.json()["newest"]["state"], added.json()["live"]) == ("received", None)

    read_all()
    document = alice.get(added["Location"]).json()
    assert (document["newest"]["state"], document["newest"]["kind"], document["live"]) == ("searchable", "text", 1)
    found = alice.get(f"{here}/search?q=what+does+parking+cost").json()["results"]
    assert [hit["text"] for hit in found] == [TEXT.decode()]
    assert found[0]["words"] == ["cost", "park"]
    assert alice.get(f"{added['Location']}/pages").json()["results"][0]["text"] == TEXT.decode()
    file = alice.get(f"{added['Location']}/file")
    assert (file.streaming, file["Content-Length"]) == (True, str(len(TEXT)))
    file.close()


def test_a_text_is_added_as_json(alice, bucket):
    answer = alice.post(
        f"{URL}/{bucket.uuid}/documents", {"name": "Note", "text": "Hello"}, content_type="application/json"
    )
    assert (answer.status_code, answer.json()["name"]) == (201, "Note.md")


def test_a_search_is_narrowed_by_tags_dates_and_documents(alice, bucket, seeing_all):
    here = f"{URL}/{bucket.uuid}"
    first = alice.post(f"{here}/documents", {"file": ContentFile(TEXT, "a.txt"), "tags": "Prices, guests"}).json()
    second = alice.post(f"{here}/documents", {"name": "b", "text": "Parking", "tags": []}, content_type=JSON).json()
    read_all()
    assert (first["tags"], second["tags"]) == (["prices", "guests"], [])
    changed = alice.patch(f"{here}/documents/{second['uuid']}", {"dated_on": "2020-02-01"}, content_type=JSON).json()
    assert (changed["name"], changed["dated_on"]) == ("b.md", "2020-02-01")
    for query, name in (
        ("tag=Prices&tag=x", "a.txt"),
        ("until=2021-01-01", "b.md"),
        (f"document={first['uuid']}", "a.txt"),
    ):
        found = alice.get(f"{here}/search?q=parking&{query}").json()["results"]
        assert [hit["document_name"] for hit in found] == [name]


def test_passages_are_read_and_tried_out(alice, bucket, add):
    document = add("rules.txt", "\n\n".join(f"Rule {n}: every guest signs the book at the door." for n in range(40)))
    here = f"{URL}/{bucket.uuid}/documents/{document.uuid}"
    found = alice.get(f"{here}/passages").json()["results"]
    assert [one["number"] for one in found] == list(range(1, document.live.chunk_count + 1))
    cuts = {one["passage_length"]: one for one in alice.get(f"{here}/preview").json()}
    assert cuts["medium"]["count"] == len(found)
    assert cuts["medium"]["first"][0]["text"] == found[0]["text"]
    assert cuts["short"]["count"] > cuts["medium"]["count"] > cuts["long"]["count"]
    assert cuts["short"]["usual"] <= 600


def test_the_same_file_again_is_answered_with_200(alice, bucket):
    statuses = [
        alice.post(f"{URL}/{bucket.uuid}/documents", {"file": ContentFile(TEXT, "a.txt")}).status_code for _ in range(2)
    ]
    assert statuses == [201, 200]


def test_a_key_makes_an_upload_happen_once(alice, bucket):
    answers = [
        alice.post(
            f"{URL}/{bucket.uuid}/documents", {"file": ContentFile(TEXT, "a.txt")}, headers={"Idempotency-Key": "k1"}
        )
        for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[1]["Idempotency-Replayed"] == "true"


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("", "q"),
        ("?q=", "q"),
        ("?q=a&limit=0", "limit"),
        ("?q=a&limit=x", "limit"),
        ("?q=a&since=yesterday", "since"),
        ("?q=a&document=1", "document.0"),
    ],
)
def test_a_search_says_what_is_wrong_with_it(alice, bucket, query, field):
    answer = alice.get(f"{URL}/{bucket.uuid}/search{query}")
    assert answer.status_code == 400
    assert field in answer.json()["fields"]


def test_strange_questions_are_only_words(alice, bucket, add):
    add("a.txt", TEXT)
    for query in (
        "'",
        "a & b | !c",
        "\\",
        "parking <-> cost:*",
        "%00",
        "ünïcödé 🙂",
        "x" * 5000,
        "' OR 1=1 --",
        "the of and",
    ):
        assert alice.get(f"{URL}/{bucket.uuid}/search", {"q": query}).status_code in {200, 400}


def test_a_bucket_is_deleted_with_its_name_only(alice, bucket):
    assert alice.delete(f"{URL}/{bucket.uuid}").status_code == 400
    assert alice.delete(f"{URL}/{bucket.uuid}?confirm=Rules").status_code == 204
    assert not Bucket.objects.exists()


def test_an_empty_file_is_refused_with_a_remedy(alice, bucket):
    answer = alice.post(f"{URL}/{bucket.uuid}/documents", {"file": ContentFile(b"", "a.txt")})
    assert answer.status_code == 400
    assert "Choose the file" in answer.json()["fields"]["file"][0]


def test_unknown_fields_are_refused(alice):
    answer = alice.post(URL, {"name": "A", "colour": "red"}, content_type="application/json")
    assert answer.json()["fields"] == {"colour": ["There is no such field."]}

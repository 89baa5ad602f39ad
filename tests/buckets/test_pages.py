"""The pages of buckets."""

from __future__ import annotations

from django.core.files.base import ContentFile
from django.urls import reverse

from agents.models import Agent
from buckets import services
from buckets.models import Bucket, Document
from tests import factories

TEXT = "Parking costs five euros a day."


def page(name, *parts, **query):
    address = reverse(f"buckets:{name}", args=parts)
    return f"{address}?{'&'.join(f'{key}={value}' for key, value in query.items())}" if query else address


def test_a_bucket_is_made_and_asks_for_files(client_as, cast, seeing_all):
    values = {"name": "Rules", "visibility": "department", "language": "english", "passage_length": "medium"}
    answer = client_as(cast.bob).post(page("create"), values, follow=True)
    assert "No files yet" in answer.content.decode()
    assert Bucket.objects.get().owner == cast.bob


def test_a_wrong_form_keeps_what_was_typed(client_as, cast, bucket):
    answer = client_as(cast.alice).post(page("create"), {"name": "rules", "description": "Kept", "visibility": "x"})
    assert answer.status_code == 422
    assert "Kept" in answer.content.decode()


def test_files_of_the_picker_are_received_and_bad_ones_named(client_as, cast, bucket):
    files = [ContentFile(TEXT.encode(), "a.txt"), ContentFile(b"", "b.txt")]
    answer = client_as(cast.alice).post(page("upload", bucket.uuid), {"file": files}, follow=True)
    shown = answer.content.decode()
    assert "1 file is received" in shown
    assert "b.txt: The file is empty" in shown
    assert 'hx-trigger="documents:changed from:body, every 2s"' in shown


def test_the_list_of_files_says_how_far_each_is(client_as, cast, bucket, add):
    add("a.txt", TEXT)
    add("photo.png", b"\x89PNG\r\n\x1a\n" + b"\x00" * 90)
    shown = client_as(cast.carol).get(page("files", bucket.uuid)).content.decode()
    assert "1 of 2 searchable, 1 failed" in shown
    assert "This is a picture" in shown
    assert "every 2s" not in shown
    assert page("upload", bucket.uuid) not in shown


def test_the_search_tester_marks_what_was_found(client_as, cast, bucket, add):
    add("a.txt", TEXT)
    shown = client_as(cast.carol).get(page("search", bucket.uuid, q="parking+cost")).content.decode()
    assert "<mark>Parking</mark> <mark>costs</mark> five euros" in shown
    assert page("document", bucket.uuid, Document.objects.get().uuid) in shown


def test_the_search_tester_looks_into_some_files_only(client_as, cast, bucket, add):
    services.change_document(actor=cast.alice, document=add("a.txt", TEXT), values={"tags": ["prices"]})
    add("b.txt", "Parking is free.")
    client = client_as(cast.carol)
    shown = client.get(page("search", bucket.uuid, q="parking", tag="prices")).content.decode()
    assert "1 passage in" in shown
    wrong = client.get(page("search", bucket.uuid, q="parking", tag="nobody", since="soon"))
    assert wrong.status_code == 422
    assert "No file has the tag “nobody”." in wrong.content.decode()


def test_what_is_wrong_about_a_file_is_said_beside_what_was_typed(client_as, cast, bucket, add):
    document, _ = add("a.txt", TEXT), add("b.txt", "Parking is free.")
    values = {"name": "b.txt", "tags": "kept", "dated_on": "2026-01-31"}
    answer = client_as(cast.alice).post(page("change", bucket.uuid, document.uuid), values)
    assert answer.status_code == 422
    assert "already has a file called “b.txt”" in answer.content.decode()
    assert 'value="kept"' in answer.content.decode()


LONG = "\n\n".join(f"Rule {n} is that every guest signs the book of rule {n} at the door." for n in range(40))


def test_a_file_is_cut_to_see_what_each_length_makes_of_it(client_as, cast, bucket, add):
    document = add("rules.txt", LONG)
    client = client_as(cast.alice)
    shown = client.get(page("preview", bucket.uuid)).content.decode()
    assert "The lengths compared" in shown
    short = client.get(page("preview", bucket.uuid, document=document.uuid, length="short")).content.decode()
    assert "<strong>Short</strong>" in short
    assert "The first 5 of 5 passages." in short
    document.refresh_from_db()
    assert document.newest.passage_length == "medium"
    assert client.get(page("preview", bucket.uuid, document=bucket.uuid, length="short")).status_code == 422


def test_a_bucket_without_files_has_nothing_to_cut(client_as, cast, bucket):
    assert "No files yet" in client_as(cast.carol).get(page("preview", bucket.uuid)).content.decode()


def test_the_passages_of_a_document_are_shown(client_as, cast, bucket, add):
    document = add("rules.txt", LONG)
    shown = client_as(cast.carol).get(page("document", bucket.uuid, document.uuid, view="passages")).content.decode()
    assert shown.count("Passage ") == document.live.chunk_count
    add("rules.txt", "Other rules.")
    old = client_as(cast.carol).get(page("document", bucket.uuid, document.uuid, view="passages", version=1))
    assert "Only the version that is searched has passages." in old.content.decode()


def test_text_of_a_document_is_never_markup(client_as, cast, bucket, add):
    document = add("a.txt", "<script>alert(1)</script> parking")
    client = client_as(cast.carol)
    for address in (page("document", bucket.uuid, document.uuid), page("search", bucket.uuid, q="parking")):
        assert "<script>alert" not in client.get(address).content.decode()


def test_the_file_comes_back_as_it_was_given(client_as, cast, bucket, add):
    document = add("seite.html", "<html><body>Hello parking</body></html>")
    answer = client_as(cast.carol).get(page("file", bucket.uuid, document.uuid, 1))
    assert answer["Content-Disposition"] == 'attachment; filename="seite.html"'
    assert answer["Content-Type"] == "application/octet-stream"
    assert "sandbox" in answer["Content-Security-Policy"]
    answer.close()


def test_a_file_is_replaced_renamed_and_removed_from_its_page(client_as, cast, bucket, add):
    document = add("a.txt", TEXT)
    client = client_as(cast.alice)
    here = [bucket.uuid, document.uuid]
    client.post(page("replace", *here), {"file": ContentFile(b"Parking is free.", "other.txt")})
    client.post(page("change", *here), {"name": "parking.txt", "tags": "Prices, parking", "dated_on": "2026-01-31"})
    document.refresh_from_db()
    assert (document.name, document.newest.number) == ("parking.txt", 2)
    assert (document.tags, str(document.dated_on)) == (["prices", "parking"], "2026-01-31")
    client.post(page("remove", *here))
    assert not Document.objects.exists()


def test_a_bucket_is_deleted_after_its_name_was_typed(client_as, cast, bucket):
    client = client_as(cast.alice)
    assert client.post(page("delete", bucket.uuid), {"confirm": "no"}).status_code == 422
    client.post(page("delete", bucket.uuid), {"confirm": "Rules"})
    assert not Bucket.objects.exists()


def test_an_agent_is_attached_from_the_bucket(client_as, cast, bucket):
    agent = factories.agent(cast.alice, cast.marketing)
    client = client_as(cast.alice)
    attach = reverse("agents:attach_bucket", args=[bucket.uuid])
    client.post(attach, {"target": str(agent.uuid), "attached": "1"})
    assert Agent.objects.get().draft["buckets"] == [str(bucket.uuid)]
    uses = client.get(reverse("agents:using_bucket", args=[bucket.uuid]))
    assert agent.name in uses.content.decode()
    client.post(attach, {"target": str(agent.uuid), "attached": "0"})
    assert Agent.objects.get().draft["buckets"] == []


def test_a_bucket_is_ticked_in_the_builder(client_as, cast, bucket):
    agent = factories.agent(cast.alice, cast.marketing)
    shown = client_as(cast.alice).get(reverse("agents:edit", args=[agent.uuid])).content.decode()
    assert f'name="bucket" value="{bucket.uuid}"' in shown


def test_a_bucket_that_is_out_of_sight_keeps_an_agent_from_being_published(client_as, cast, bucket):
    agent = factories.agent(cast.alice, cast.marketing, published=False, definition={"buckets": [str(bucket.uuid)]})
    services.archive_bucket(actor=cast.alice, bucket=bucket)
    answer = client_as(cast.alice).post(reverse("agents:publish", args=[agent.uuid]))
    assert answer.status_code == 422
    assert "not yours to read. Take it away" in answer.content.decode()

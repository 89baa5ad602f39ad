"""Pages and feeds of the web, fetched by a worker through the guard."""

from __future__ import annotations

import ipaddress

import pytest
from django.urls import reverse

from buckets import services, worker
from buckets.models import Document, State, WebSource
from buckets.queries import search
from buckets.worker import fetching
from mindloom.web.errors import Conflict, Invalid, NotAllowed, NotFound
from tests.integrations.tools.services import serving

PAGE = "<!doctype html><html><head><title>House &amp; rules</title></head><body><h1>Parking</h1><p>{}</p></body></html>"
FEED = """<?xml version="1.0"?><rss version="2.0"><channel><title>News</title>
<item><title>New lift</title><link>/lift</link><guid>1</guid><pubDate>Mon, 02 Nov 2026 09:30:00 GMT</pubDate>
<description>&lt;p&gt;The lift has &lt;b&gt;mirrors&lt;/b&gt;.&lt;/p&gt;&lt;script&gt;alert(1)&lt;/script&gt;</description></item>
{}</channel></rss>"""
SECOND = "<item><title>New lift</title><guid>2</guid><description>{}</description></item>"
ATOM = """<feed xmlns="http://www.w3.org/2005/Atom"><title>Atoms</title><entry><id>a</id><title>Doors</title>
<link href="https://example.org/a"/><updated>2026-11-02T10:00:00Z</updated><content>Doors close at ten.</content></entry></feed>"""


@pytest.fixture(autouse=True)
def _loopback_is_outside(settings):
    settings.OUTBOUND_ALLOWED_NETWORKS = [ipaddress.ip_network("127.0.0.0/8")]


@pytest.fixture
def site():
    with serving() as one:
        yield one


@pytest.fixture
def fetched(cast, bucket):
    """Has an address fetched as by a worker, and what is there read."""

    def fetch(url, **options):
        source = services.add_source(actor=cast.alice, bucket=bucket, url=url, **options)
        worker.fetch_all()
        worker.work()
        source.refresh_from_db()
        return source

    return fetch


def test_a_page_becomes_a_file_that_says_where_it_is_from(site, fetched, bucket):
    url = site.answer("/rules", PAGE.format("Parking costs five euros."), content_type="text/html")
    source = fetched(url, tags=["Web"])
    assert (source.kind, source.reason, source.is_wanted, source.note) == ("page", "", False, "Fetched")
    document = Document.objects.get()
    assert (document.name, document.url, document.tags, document.source) == ("House & rules.html", url, ["web"], source)
    assert search([bucket], "parking euros")[0].document == document.uuid


def test_fetched_again_it_is_the_next_version_only_when_it_has_changed(site, fetched, bucket, cast):
    url = site.answer("/rules", PAGE.format("Parking costs five euros."), content_type="text/html")
    fetched(url)
    assert fetched(url).note == "Unchanged since it was fetched before"
    services.change_document(actor=cast.alice, document=Document.objects.get(), values={"name": "Our rules"})
    site.answer("/rules", PAGE.format("Parking is free."), content_type="text/html")
    services.refresh_source(actor=cast.alice, source=WebSource.objects.get())
    worker.fetch_all()
    worker.work()
    document = Document.objects.select_related("live").get()
    assert (document.name, document.live.number) == ("Our rules", 2)
    assert [hit.text for hit in search([bucket], "parking")] == ["Parking is free."]


def test_each_entry_of_a_feed_is_a_file_of_its_day(site, fetched, bucket):
    source = fetched(site.answer("/feed", FEED.format(SECOND.format("Older words."))))
    assert (source.kind, source.note) == ("feed", "2 of 2 entries are new or changed")
    first, second = Document.objects.order_by("id")
    assert (first.name, first.url, str(first.dated_on)) == ("New lift.html", f"{site.url}/lift", "2026-11-02")
    assert (second.name, second.url) == ("New lift (2).html", f"{source.url}#2")
    assert search([bucket], "mirrors")[0].document == first.uuid
    assert search([bucket], "alert") == []

    again = fetched(site.answer("/feed", FEED.format(SECOND.format("Newer words."))))
    assert again.note == "1 of 2 entries is new or changed"
    second.refresh_from_db()
    assert (second.newest.number, Document.objects.count()) == (2, 2)


def test_atom_is_read_too_whatever_it_is_called(site, fetched, bucket):
    assert fetched(site.answer("/x", ATOM, content_type="text/html")).kind == "feed"
    assert search([bucket], "doors")[0].document_name == "Doors.html"


def test_what_a_file_is_is_found_by_its_content(site, fetched):
    fetched(site.answer("/notes.pdf", "Only words, whatever the address says.", content_type="application/pdf"))
    document = Document.objects.select_related("live__content").get()
    assert (document.name, document.live.content.kind) == ("notes.pdf", "text")
    fetched(site.answer("/photo", b"\x89PNG" + b"\r\n\x1a\n" + b"\x00" * 90, content_type="text/html"))
    assert Document.objects.get(name="photo").newest.state == State.FAILED


@pytest.mark.parametrize(
    ("path", "status", "body", "words"),
    [
        ("/none", 404, "", "no such page"),
        ("/shut", 403, "", "does not give this page to programs"),
        ("/busy", 429, "", "asked too often"),
        ("/broken", 500, "", "HTTP 500"),
        ("/empty", 200, " ", "answered with nothing"),
        ("/large", 200, "x" * 4_000, "larger than"),
        ("/half", 200, "<rss><channel>", "not well-formed"),
        ("/bomb", 200, '<?xml version="1.0"?><rss><channel></channel></rss>', "no entries"),
    ],
)
def test_what_cannot_be_fetched_says_why(site, fetched, settings, path, status, body, words):
    settings.DOCUMENT_MAX_BYTES = 2_000
    source = fetched(site.answer(path, body, status))
    assert words in source.reason
    assert not source.is_wanted
    assert not Document.objects.exists()


def test_redirects_to_private_addresses_are_not_followed(site, fetched, settings):
    site.answers["/away"] = (302, "", "", {"location": "http://10.0.0.1/secret"})
    assert "private or reserved address" in fetched(f"{site.url}/away").reason
    settings.OUTBOUND_ALLOWED_NETWORKS = []
    assert "private or reserved address" in fetched(f"{site.url}/page").reason


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "https://", "https://a b", "https://user:word@example.org", "ftp://x"]
)
def test_what_is_no_address_is_refused_at_once(cast, bucket, url):
    with pytest.raises(Invalid) as refused:
        services.add_source(actor=cast.alice, bucket=bucket, url=url)
    assert list(refused.value.fields) == ["url"]


@pytest.mark.parametrize("who", ["bob", "carol", "mallory"])
def test_only_owner_and_managers_add_addresses(cast, bucket, who):
    with pytest.raises((NotAllowed, NotFound)):
        services.add_source(actor=getattr(cast, who), bucket=bucket, url="https://example.org")


def test_who_may_not_add_files_any_more_has_nothing_fetched(site, cast, bucket):
    source = services.add_source(actor=cast.alice, bucket=bucket, url=site.answer("/page", "Words"))
    cast.alice.is_active = False
    cast.alice.save()
    worker.fetch_all()
    source.refresh_from_db()
    assert "may not add files to the bucket any more" in source.reason
    assert site.requests == []


def test_an_archived_bucket_has_nothing_fetched(site, cast, bucket):
    source = services.add_source(actor=cast.alice, bucket=bucket, url=site.answer("/page", "Words"))
    services.archive_bucket(actor=cast.alice, bucket=bucket)
    worker.fetch_all()
    source.refresh_from_db()
    assert "is archived" in source.reason
    source.bucket.refresh_from_db()
    with pytest.raises(Conflict):
        services.refresh_source(actor=cast.alice, source=source)


def test_a_worker_that_vanished_is_followed_by_another(site, cast, bucket):
    services.add_source(actor=cast.alice, bucket=bucket, url=site.answer("/page", "Words"))
    dead = fetching.claim_source()
    assert fetching.claim_source() is None
    assert not worker.waiting()
    WebSource.objects.update(lease_until="2020-01-01T00:00Z")
    assert worker.waiting()
    worker.fetch_all()
    fetching.advance_source(dead)
    assert Document.objects.count() == 1
    assert WebSource.objects.get().note == "Fetched"


def test_files_stay_when_their_address_is_taken_away(site, cast, fetched):
    source = fetched(site.answer("/page", "Words"))
    services.remove_source(actor=cast.alice, source=source)
    document = Document.objects.get()
    assert (document.source, document.url) == (None, source.url)


def test_an_address_is_added_and_fetched_again_on_its_page(site, client_as, cast, bucket, fetched):
    client = client_as(cast.alice)
    here = reverse("buckets:web", args=[bucket.uuid])
    assert client.post(here, {"url": "file:///x", "tags": ""}).status_code == 422
    url = site.answer("/page", "Parking words")
    shown = client.post(here, {"url": url, "tags": "web"}, follow=True).content.decode()
    assert "waiting" in shown
    assert 'hx-trigger="every 2s"' in shown
    worker.fetch_all()
    shown = client.get(here).content.decode()
    assert "1 file" in shown
    assert "every 2s" not in shown
    source, document = WebSource.objects.get(), Document.objects.get()
    assert url in client.get(reverse("buckets:document", args=[bucket.uuid, document.uuid])).content.decode()
    client.post(reverse("buckets:refresh_source", args=[bucket.uuid, source.uuid]))
    assert WebSource.objects.get().is_wanted
    client.post(reverse("buckets:remove_source", args=[bucket.uuid, source.uuid]))
    assert not WebSource.objects.exists()


def test_the_api_has_addresses_fetched(site, client_as, cast, bucket):
    client, here = client_as(cast.alice), f"/api/v1/buckets/{bucket.uuid}/sources"
    url = site.answer("/page", "Parking words")
    made = client.post(here, {"url": url, "tags": ["web"]}, content_type="application/json")
    assert (made.status_code, made.json()["is_wanted"], made.json()["kind"]) == (201, True, "")
    worker.fetch_all()
    found = client.get(made["Location"]).json()
    assert (found["is_wanted"], found["kind"], found["documents"]) == (False, "page", 1)
    assert client.get(f"/api/v1/buckets/{bucket.uuid}/documents").json()["results"][0]["url"] == url
    assert client.post(f"{made['Location']}/refresh", {}, content_type="application/json").json()["is_wanted"]
    assert client.delete(made["Location"]).status_code == 204
    assert client.post(here, {"url": "x y"}, content_type="application/json").json()["fields"].keys() == {"url"}

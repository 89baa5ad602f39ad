"""Fetches the addresses of the web that people gave to buckets, and keeps what is there as documents.

A source is claimed like a version, with a fence and a lease. What is fetched twice does no harm: the same content is known.
"""

from __future__ import annotations

import html
import logging
import re
from datetime import timedelta
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from django.conf import settings
from django.core.files.base import ContentFile
from django.db import DatabaseError, connection, transaction
from django.db.models import Q
from django.utils import timezone

from accounts.models import User
from buckets.models import Bucket, Document, WebSource
from buckets.worker.naming import LONGEST_NAME, safe_name
from buckets.worker.pipeline import stopping
from buckets.worker.receiving import Given, receive
from features.queries import is_on
from integrations.outbound import Answer, OutboundError, fetch
from integrations.tools.syndication import Entry, read_feed
from mindloom import wall
from mindloom.engine.ports import ToolError
from mindloom.web.errors import MindloomError

if TYPE_CHECKING:
    from buckets.worker.receiving import Added

logger = logging.getLogger(__name__)

LEASE = timedelta(minutes=3)
SECONDS = 60.0
MOST_BYTES = 20 * 1024 * 1024
MOST_ENTRIES = 200
MOST_ATTEMPTS = 3
_FEED = re.compile(
    rb"\s*(?:<\?xml.{0,200}?\?>|<\?xml-stylesheet.{0,300}?\?>|<!--.{0,2000}?-->|\s)*<(rss|feed|rdf:RDF)\b", re.DOTALL
)
_MARKUP = re.compile(rb"<(!doctype\s+html|html|head|body)\b", re.IGNORECASE)
_TITLE = re.compile(r"<title[^>]{0,200}>(.{1,1000}?)</title", re.IGNORECASE | re.DOTALL)
GIVEN_UP = "The process that fetched this ended {count} times. Try again later; an administrator finds more in the worker’s log."
MAY_NOT = "Who asked for this may not add files to the bucket any more. Somebody who may can fetch it again."
_REFUSALS = {
    401: "{host} wants a sign-in for this page, which Mindloom has not. Save the page, and add the file.",
    403: "{host} does not give this page to programs. Save the page in a browser, and add the file.",
    404: "There is no such page at {host}. Check the address.",
    410: "{host} says that this page is gone for good. Check the address.",
    429: "{host} was asked too often. Fetch it again later.",
}


class _Refused(Exception):
    """It cannot be fetched; the message says why and what to do."""


def fetch_all() -> int:
    """Fetch what is wanted until nothing is; returns how many there were."""
    count = 0
    while not stopping.is_set() and (source := claim_source()) is not None:
        count += 1
        advance_source(source)
    return count


def source_waits() -> bool:
    """Whether there is an address that is wanted and that nobody fetches."""
    with wall.system("scheduler: addresses of all departments that are to be fetched"):
        return is_on("web_sources") and bool(_claimable().exists())


def claim_source() -> WebSource | None:
    """The address that waits longest, now ours; None when none waits."""
    with wall.system("document worker: the next address of all departments"), transaction.atomic():
        if not is_on("web_sources"):
            return None
        source: WebSource | None = _claimable().select_for_update(skip_locked=True).order_by("id").first()
        if source is None:
            return None
        source.fence += 1
        source.attempts += 1
        source.lease_until = timezone.now() + LEASE
        source.save(update_fields=["fence", "attempts", "lease_until"])
        return source


def _claimable() -> Any:
    return WebSource.objects.filter(Q(lease_until=None) | Q(lease_until__lt=timezone.now()), is_wanted=True)


def advance_source(source: WebSource) -> None:
    """Fetch a claimed address. Whatever happens, it is said."""
    with wall.tenant([source.department_id]):
        try:
            kind, note = _fetched(source)
        except (_Refused, OutboundError, ToolError) as refused:
            _end(source, reason=str(refused))
        except MindloomError as refused:
            said = " ".join(sentence for sentences in refused.fields.values() for sentence in sentences)
            _end(source, reason=said or refused.message)
        except DatabaseError:
            # It cannot be said now either; the lease ends, and somebody tries again.
            logger.exception("The database did not serve source %s", source.pk)
            connection.close()
        except Exception as error:
            logger.exception("Source %s could not be fetched", source.pk)
            _end(
                source,
                reason=f"Mindloom made a mistake with this address ({type(error).__name__}). Tell an administrator.",
            )
        else:
            _end(source, kind=kind, note=note)


def _end(source: WebSource, *, reason: str = "", **values: Any) -> None:
    """Nobody wants it any more, unless it was asked for again meanwhile."""
    rows = WebSource.objects.filter(pk=source.pk, fence=source.fence)
    rows.update(is_wanted=False, lease_until=None, reason=reason[:600], fetched_at=timezone.now(), **values)


def _fetched(source: WebSource) -> tuple[str, str]:
    """What it is, and in words what came of it."""
    if source.attempts > MOST_ATTEMPTS:
        raise _Refused(GIVEN_UP.format(count=MOST_ATTEMPTS))
    person = User.objects.filter(pk=source.asked_by_id, is_active=True).first()
    bucket = Bucket.objects.get(pk=source.bucket_id)
    if person is None or not Bucket.objects.editable_by(person).filter(pk=bucket.pk).exists():
        raise _Refused(MAY_NOT)
    most = min(MOST_BYTES, settings.DOCUMENT_MAX_BYTES)
    answer = fetch(source.url, allowed=settings.OUTBOUND_ALLOWED_NETWORKS, max_bytes=most, seconds=SECONDS)
    host = urlsplit(answer.url).hostname or "The site"
    if answer.status >= 300:
        sentence = _REFUSALS.get(answer.status, "{host} did not give the page (HTTP {status}). Fetch it again later.")
        raise _Refused(sentence.format(host=host, status=answer.status))
    if not answer.body.strip():
        raise _Refused(f"{host} answered with nothing. Check the address.")
    if _FEED.match(answer.body[:8192]):
        return WebSource.Kind.FEED, _keep_entries(person, bucket, source, answer)
    given = Given(ContentFile(answer.body), _page_name(answer), tags=source.tags, source=source, url=source.url)
    added = _keep(person, bucket, given)
    return WebSource.Kind.PAGE, "Unchanged since it was fetched before" if added.is_known else "Fetched"


def _keep_entries(person: User, bucket: Bucket, source: WebSource, answer: Answer) -> str:
    feed = read_feed(answer.body, answer.url)
    entries = [one for one in feed.entries if one.title or one.content][:MOST_ENTRIES]
    if not entries:
        raise _Refused("The feed has no entries. Fetch it again when it has some.")
    changed = 0
    for entry in entries:
        url = entry.link if entry.link.startswith(("http://", "https://")) else f"{source.url}#{entry.key}"
        file = ContentFile(_entry_page(entry, url).encode("utf-8", "replace"))
        given = Given(
            file,
            _named(entry.title or "Entry"),
            tags=source.tags,
            source=source,
            url=url[:2000],
            dated_on=entry.published_on,
        )
        changed += not _keep(person, bucket, given).is_known
    return f"{changed} of {len(entries)} entries {'are' if changed != 1 else 'is'} new or changed"


def _keep(person: User, bucket: Bucket, given: Given) -> Added:
    """The same address is the same document, whatever it is called by now; a new one gets a name that is free."""
    document = Document.objects.filter(bucket=bucket, source=given.source, url=given.url).first()
    name, number = given.name, 1
    while document is None and Document.objects.filter(bucket=bucket, name=name).exists():
        number += 1
        path = PurePosixPath(given.name)
        name = f"{path.stem[: LONGEST_NAME - 30]} ({number}){path.suffix[:20]}"
    return receive(person, bucket, Given(**{**vars(given), "name": name, "document": document}))


def _page_name(answer: Answer) -> str:
    """What the page calls itself, else the end of its address."""
    parts = urlsplit(answer.url)
    if _MARKUP.search(answer.body[:4096]):
        title = _TITLE.search(answer.text[:65_536])
        return _named(html.unescape(title[1]) if title else f"{parts.hostname}{parts.path}")
    last = unquote(PurePosixPath(parts.path).name)
    return safe_name(last or str(parts.hostname))


def _named(title: str) -> str:
    clean = " ".join(re.sub(r"<[^>]{0,300}>", " ", title).replace("/", "-").replace("\\", "-").split())
    return f"{safe_name(clean[: LONGEST_NAME - 10] or 'Page')}.html"


def _entry_page(entry: Entry, url: str) -> str:
    """The entry as a page of its own. What is inside is the feed's; it is read like any page, in the child process."""
    title = html.escape(html.unescape(re.sub(r"<[^>]{0,300}>", " ", entry.title)) or "Entry")
    return (
        f'<!doctype html><html><head><meta charset="utf-8"><title>{title}</title></head><body><h1>{title}</h1>'
        f"<p>{html.escape(entry.published)}</p>\n<div>{entry.content}</div>\n<p>{html.escape(url)}</p></body></html>"
    )

"""received → extracted → chunked → embedded → searchable: one step after the other, each kept when it is done.

A version is claimed like a run: with a fence, and with a lease that is renewed while somebody works on it. When the worker dies,
the lease ends and the next one goes on with the step that was under way. A file that kills its workers is given up. As soon as it
is cut, it is found by its words; for the embedding model it may wait as long as that takes.
"""

from __future__ import annotations

import logging
import threading
import time
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.db import DatabaseError, connection, transaction
from django.db.models import F, Q
from django.utils import timezone

from buckets.models import UNDER_WAY, Bucket, Chunk, Content, Document, Page, PassageLength, State, Version
from buckets.readers.parts import Refused
from buckets.worker.embedding import Waits, embed_version
from buckets.worker.extraction import extract, working_folder
from buckets.worker.generations import settle
from buckets.worker.passages import Source, passages
from buckets.worker.virus import refuse_infected
from mindloom import wall

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import TypeVar

    Item = TypeVar("Item")

logger = logging.getLogger(__name__)

LEASE = timedelta(seconds=30)
RENEW_SECONDS = 5.0
MOST_ATTEMPTS = 3
ROWS_AT_ONCE = 500
GIVEN_UP = (
    "The process that worked on this file ended {count} times, most likely for lack of memory. Split the file, or save it as PDF or "
    "plain text, and add that; an administrator finds more in the worker's log."
)
NOT_STORED = "The stored file cannot be read now. Try again; if it stays, tell an administrator, who finds the reason in the worker's log."
_BROKE = "Mindloom made a mistake with this file ({error}). Try again; an administrator finds more in the worker's log."


stopping = threading.Event()
"""Set when the process ends: what is under way is let go, so that another worker takes it at once."""


class Lost(Exception):
    """Somebody else works on the version by now, or it is gone."""


class Stopped(Exception):
    """The process ends."""


def work() -> int:
    """Work on versions until none waits; returns how many there were."""
    count = 0
    while not stopping.is_set() and (version := claim()) is not None:
        count += 1
        advance(version)
    return count


def waiting() -> bool:
    """Whether there is a version that nobody works on."""
    with wall.system("scheduler: files of all departments that nobody works on"):
        return bool(_claimable().exists())


def claim() -> Version | None:
    """The version that waits longest, now ours; None when none waits."""
    with wall.system("document worker: the next file of all departments"), transaction.atomic():
        # What is searched comes before what is built beside it.
        order = (F("generation__state").desc(nulls_last=True), "id")
        free = _claimable().select_for_update(skip_locked=True, of=("self",))
        version: Version | None = free.select_related("generation__embedding_model__provider").order_by(*order).first()
        if version is None:
            return None
        version.fence += 1
        version.attempts += 1
        version.lease_until, version.waits_until = timezone.now() + LEASE, None
        version.save(update_fields=["fence", "attempts", "lease_until", "waits_until"])
        return version


def _claimable() -> Any:
    now = timezone.now()
    rested = Q(waits_until=None) | Q(waits_until__lte=now)
    return Version.objects.filter(rested, Q(lease_until=None) | Q(lease_until__lt=now), state__in=UNDER_WAY)


def advance(version: Version) -> None:
    """Take a claimed version as far as it gets. Whatever happens, it does not stay under way without a reason."""
    with wall.tenant([version.department_id]):
        job = _Job(version)
        try:
            job.run()
        except Refused as refused:
            job.fail(str(refused))
        except Waits as wait:
            job.wait(wait)
        except Stopped:
            job.let_go()
        except Lost:
            logger.info("Somebody else works on version %s", version.pk)
        except DatabaseError:
            # It cannot be said now either; the lease ends, and somebody tries again.
            logger.exception("The database did not serve version %s", version.pk)
            connection.close()
        except Exception as error:
            logger.exception("Version %s could not be worked on", version.pk)
            job.fail(_BROKE.format(error=type(error).__name__))
        if version.generation_id is not None and not stopping.is_set():
            settle(version.generation_id)


class _Job:
    """One claimed version."""

    def __init__(self, version: Version) -> None:
        self._version = version
        self._renewed = time.monotonic()

    def run(self) -> None:
        if self._version.attempts > MOST_ATTEMPTS:
            raise Refused(GIVEN_UP.format(count=MOST_ATTEMPTS))
        steps = {
            State.RECEIVED: self._extract,
            State.EXTRACTED: self._cut,
            State.CHUNKED: self._embed,
            State.EMBEDDED: self._finish,
        }
        while (step := steps.get(State(self._version.state))) is not None:
            step()

    def fail(self, reason: str) -> None:
        """What can be found by its words by now stays."""
        failed = {"state": State.FAILED, "reason": reason[:600], "lease_until": None, "finished_at": timezone.now()}
        with transaction.atomic():
            if self._mine().filter(is_found=False).update(**failed, chunk_count=0):
                Chunk.objects.filter(version=self._version).delete()
            else:
                self._mine().update(**failed)

    def wait(self, wait: Waits) -> None:
        """Give it back until the embedding model may be asked again; so do all others that want the same model."""
        until = timezone.now() + timedelta(seconds=wait.seconds)
        self._mine().update(lease_until=None, waits_until=until, attempts=0, reason=wait.reason[:600])
        others = Version.objects.filter(state=State.CHUNKED, lease_until=None, is_found=True)
        others.filter(generation__embedding_model=wait.model).update(waits_until=until, reason=wait.reason[:600])

    def let_go(self) -> None:
        """Give it back, as if it had not been tried."""
        self._mine().update(lease_until=None, attempts=F("attempts") - 1)

    def _mine(self) -> Any:
        return Version.objects.filter(pk=self._version.pk, fence=self._version.fence, state__in=UNDER_WAY)

    def _alive(self) -> None:
        """Keep the version; every few seconds that is written down."""
        if stopping.is_set():
            raise Stopped
        if time.monotonic() - self._renewed < RENEW_SECONDS:
            return
        if not self._mine().update(lease_until=timezone.now() + LEASE):
            raise Lost
        self._renewed = time.monotonic()

    def _reached(self, state: State, **values: Any) -> None:
        """A step is done, and what it made is kept with this. The next step's tries are counted anew."""
        done = {"state": state, "attempts": 1, "lease_until": timezone.now() + LEASE, "reason": "", **values}
        if not self._mine().update(**done):
            raise Lost
        self._version.state = state

    def _extract(self) -> None:
        content = Content.objects.get(pk=self._version.content_id)
        if content.extracted_at is None:
            name = Document.objects.values_list("name", flat=True).get(pk=self._version.document_id)
            with working_folder() as folder:
                refuse_infected(content.path, self._alive)
                try:
                    found = extract(content.path, name, Path(folder), self._alive)
                except OSError as error:
                    logger.exception("The file of content %s can't be read", content.pk)
                    raise Refused(NOT_STORED) from error
                with transaction.atomic():
                    self._keep_pages(content, found)
        self._reached(State.EXTRACTED)

    def _keep_pages(self, content: Content, found: Any) -> None:
        # One at a time: the same content may be read for another bucket, too.
        locked = Content.objects.select_for_update(no_key=True).get(pk=content.pk)
        if locked.extracted_at is not None:
            return
        Page.objects.filter(content=content).delete()
        pages = (
            Page(
                content=content,
                department_id=content.department_id,
                number=number,
                label=label,
                heading=heading,
                text=text,
            )
            for number, (label, heading, text) in enumerate(found.parts(), start=1)
        )
        for rows in _batches(pages):
            Page.objects.bulk_create(rows)
            self._alive()
        locked.kind, locked.page_count, locked.character_count = found.kind, found.count, found.characters
        locked.extracted_at = timezone.now()
        locked.save(update_fields=["kind", "page_count", "character_count", "extracted_at"])

    def _cut(self) -> None:
        version = self._version
        document = Document.objects.get(pk=version.document_id)
        Chunk.objects.filter(version=version).delete()  # of a worker that did not come to its end
        pages = Page.objects.filter(content=version.content_id).order_by("number").iterator(ROWS_AT_ONCE)
        sources = (Source(one.number, one.label, one.heading, one.text) for one in pages)
        longest = PassageLength(version.passage_length).characters
        chunks = (
            Chunk(
                document=document,
                version=version,
                bucket_id=document.bucket_id,
                department_id=version.department_id,
                number=number,
                page=one.page,
                label=one.label,
                heading=f"{document.name} › {one.heading}"[:600] if one.heading else document.name,
                text=one.text,
                language=version.language,
                generation=version.generation_id or 0,
            )
            for number, one in enumerate(passages(sources, longest), start=1)
        )
        count = 0
        for rows in _batches(chunks):
            Chunk.objects.bulk_create(rows)
            count += len(rows)
            self._alive()
        self._reached(State.CHUNKED, chunk_count=count)

    def _embed(self) -> None:
        """First it is found by its words; then its meaning is asked for, if the generation has a model."""
        if not self._take_over():
            return
        generation = self._version.generation
        if generation is not None and generation.embedding_model is not None:
            embed_version(self._version, generation.embedding_model, self._renew)
        self._reached(State.EMBEDDED)

    def _renew(self) -> None:
        """Hold the version for another while, in the transaction in which it is called."""
        if stopping.is_set():
            raise Stopped
        if not self._mine().update(lease_until=timezone.now() + LEASE):
            raise Lost
        self._renewed = time.monotonic()

    def _take_over(self) -> bool:
        """In one transaction the new passages are found and the old ones are gone. False when a newer version is there."""
        version = self._version
        with transaction.atomic():
            document = Document.objects.select_for_update(no_key=True).get(pk=version.document_id)
            same = Version.objects.filter(document=document, generation=version.generation_id)
            if version.generation_id is None or same.filter(pk__gt=version.pk).exists():
                self._reached(State.REPLACED, finished_at=timezone.now(), chunk_count=0)
                Version.objects.filter(pk=version.pk).update(lease_until=None, is_found=False)
                Chunk.objects.filter(version=version).delete()
                return False
            former = list(same.filter(is_found=True).exclude(pk=version.pk).values_list("pk", flat=True))
            Version.objects.filter(pk__in=former).update(state=State.REPLACED, chunk_count=0, is_found=False)
            Chunk.objects.filter(version__in=former).delete()
            if not self._mine().update(is_found=True):
                raise Lost
            if Bucket.objects.filter(pk=document.bucket_id, generation=version.generation_id).exists():
                Document.objects.filter(pk=document.pk).update(live=version.pk, updated_at=timezone.now())
        return True

    def _finish(self) -> None:
        with transaction.atomic():
            self._reached(State.SEARCHABLE, finished_at=timezone.now())
            Version.objects.filter(pk=self._version.pk).update(lease_until=None, waits_until=None)


def _batches(items: Iterable[Item]) -> Iterator[list[Item]]:
    rest = iter(items)
    while rows := list(islice(rest, ROWS_AT_ONCE)):
        yield rows

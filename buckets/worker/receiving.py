"""Keeps what was given to a bucket: the bytes once for a department, the document, and its next version.

Files that people give come here through the services, pages of the web through `fetching`.
"""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from django.conf import settings
from django.core.files.storage import default_storage
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from accounts.services.storing import no_room_for
from audit.services import record
from buckets.models import UNDER_WAY, Bucket, Content, Document, State, Version, WebSource, today
from buckets.worker.naming import clean_tags
from mindloom.web.errors import Conflict, Invalid, NotFound, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from django.core.files import File

    from accounts.models import User

logger = logging.getLogger(__name__)

FOLDER = "documents"
MOST_DOCUMENTS = 10_000
"""Of one bucket."""


@dataclass(frozen=True)
class Given:
    """A file for a bucket. `document` is the one whose next version it is; otherwise that of the name, or a new one.

    What comes from the web has its source and its own address there, and the day that it says it is of.
    """

    file: File[bytes]
    name: str
    document: Document | None = None
    tags: list[str] = field(default_factory=list)
    source: WebSource | None = None
    url: str = ""
    dated_on: date | None = None


@dataclass(frozen=True)
class Added:
    """What came of a file: the document, its version, and whether this content was there under this name already."""

    document: Document
    version: Version
    is_known: bool


def receive(actor: User, bucket: Bucket, given: Given, *, wake: Callable[[], None] | None = None) -> Added:
    """Keep it; `wake` is called when there is something to read. Raises `Invalid`, `Conflict`, `Unavailable`, `NotFound`."""
    digest, size = _measured(given.file)
    for _ in range(3):
        content = _stored(bucket, given.file, digest, size)
        try:
            with transaction.atomic():
                return _kept(actor, bucket, given, content, wake)
        except IntegrityError:
            # The unused content was cleared away, or the name given, in this very moment.
            logger.info("“%s” is received once more", given.name)
    raise Conflict("The same file is being added by somebody else. Look again in a moment.")


def locked_bucket(bucket: Bucket) -> Bucket:
    """The bucket as it stands now, locked."""
    found = Bucket.objects.select_for_update(no_key=True).filter(pk=bucket.pk).first()
    if found is None:
        raise NotFound("This bucket has been deleted.")
    return found


def refuse_archived(bucket: Bucket) -> None:
    """Raise `Conflict` for an archived bucket."""
    if bucket.archived_at is not None:
        raise Conflict(f"“{bucket.name}” is archived. Restore it to change it.", code="bucket_archived")


def locked_document(document: Document) -> Document:
    """The document as it stands now, locked."""
    found = Document.objects.select_for_update(no_key=True).filter(pk=document.pk).first()
    if found is None:
        raise NotFound("This file has been removed.")
    return found


def _measured(file: File[bytes]) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    for piece in file.chunks():
        digest.update(piece)
        size += len(piece)
        if size > settings.DOCUMENT_MAX_BYTES:
            most = settings.DOCUMENT_MAX_BYTES // (1024 * 1024)
            raise Invalid(
                fields={"file": [f"The file is larger than {most:,} MB. Split it, or add only the part that matters."]}
            )
    if not size:
        raise Invalid(fields={"file": ["The file is empty. Choose the file that has the text."]})
    return digest.hexdigest(), size


def _stored(bucket: Bucket, file: File[bytes], digest: str, size: int) -> Content:
    """The content with its file in the storage. The row comes first, so that a file is never without one."""
    content, _ = Content.objects.get_or_create(
        department_id=bucket.department_id,
        sha256=digest,
        defaults={"size_bytes": size, "path": f"{FOLDER}/{uuid4()}"},
    )
    if content.stored_at is not None:
        return content
    if sentence := no_room_for(size, bucket.department_id, is_counted=True):
        raise Invalid(fields={"file": [sentence]})
    try:
        file.seek(0)
        path = default_storage.save(content.path, file)
    except Exception as error:
        logger.exception("The file of content %s could not be stored", content.pk)
        raise Unavailable(
            "The storage for files did not take the file. Try again; if it stays, tell an administrator, who finds the reason in the log."
        ) from error
    is_first = Content.objects.filter(pk=content.pk, stored_at=None).update(path=path, stored_at=timezone.now())
    content.refresh_from_db()
    if not is_first and path != content.path:
        # Somebody else stored the same content at the same time. A storage that writes over what is there has it once.
        default_storage.delete(path)
    return content


def _kept(actor: User, bucket: Bucket, given: Given, content: Content, wake: Callable[[], None] | None) -> Added:
    """The document with a version of this content, in the caller's transaction."""
    locked = locked_bucket(bucket)
    refuse_archived(locked)
    found = _document(locked, given)
    newest = Version.objects.filter(pk=found.newest_id or 0).first()
    if newest is not None and newest.content_id == content.pk and newest.state != State.FAILED:
        return Added(found, newest, is_known=True)
    version = _next_version(actor, locked, found, newest, content, given.dated_on)
    facts: dict[str, Any] = {"target": found, "bucket": str(locked.uuid), "version": version.number}
    if newest is None:
        record(actor=actor, action="document.added", **facts)
    else:
        record(actor=actor, action="document.replaced", **facts)
    Bucket.objects.filter(pk=locked.pk).update(updated_at=timezone.now())
    if wake is not None:
        transaction.on_commit(wake)
    return Added(found, version, is_known=False)


def _document(locked: Bucket, given: Given) -> Document:
    """The document that is meant, locked, with the tags and the source that it has from now on."""
    found = given.document or Document.objects.filter(bucket=locked, name=given.name).first()
    if found is None:
        if locked.documents.count() >= MOST_DOCUMENTS:
            raise Invalid(
                f"The bucket has {MOST_DOCUMENTS:,} files, which is as many as it may. Make another bucket for more."
            )
        found = Document.objects.create(bucket=locked, department_id=locked.department_id, name=given.name)
    else:
        found = locked_document(found)
    found.tags = clean_tags([*found.tags, *given.tags])
    if given.source is not None:
        found.source, found.url = given.source, given.url
    found.save(update_fields=["tags", "source", "url", "updated_at"])
    return found


def _next_version(
    actor: User, bucket: Bucket, document: Document, newest: Any, content: Content, dated_on: date | None
) -> Version:
    if newest is not None and newest.state in UNDER_WAY:
        Version.objects.filter(pk=newest.pk).update(
            state=State.REPLACED, finished_at=timezone.now(), fence=F("fence") + 1, lease_until=None
        )
    same = newest is not None and newest.content_id == content.pk
    number = 1 if newest is None else newest.number + (0 if same else 1)
    version = Version.objects.create(
        document=document,
        department_id=document.department_id,
        content=content,
        generation_id=bucket.generation_id,
        number=number,
        language=bucket.language,
        passage_length=bucket.passage_length,
        added_by=actor,
    )
    document.newest = version
    document.dated_on = dated_on or (document.dated_on if same else today())
    document.save(update_fields=["newest", "dated_on", "updated_at"])
    return version

"""The files of a bucket: added, given anew, tried again, removed."""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from audit.services import record
from buckets import tasks
from buckets.models import UNDER_WAY, Bucket, Chunk, Content, Document, State, Version, today
from buckets.services.describing import LONGEST_NAME, clean_tags, safe_name
from buckets.services.keeping import check_may_edit, locked_bucket, refuse_archived
from mindloom.web.errors import Conflict, Invalid, NotFound, Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.core.files import File

    from accounts.models import User

logger = logging.getLogger(__name__)

FOLDER = "documents"
MOST_DOCUMENTS = 10_000
"""Of one bucket."""
LONGEST_PASTE = 1_000_000


@dataclass(frozen=True)
class Added:
    """What came of a file: the document, its version, and whether this content was there under this name already."""

    document: Document
    version: Version
    is_known: bool


def add_document(*, actor: User, bucket: Bucket, file: File[bytes], name: str, tags: Iterable[str] = ()) -> Added:
    """Receive a file. Under a name that the bucket has, it is the next version, unless its content is the same; `tags` are added.

    Raises `NotAllowed`, `Conflict` for an archived bucket, `Invalid` about `file` for empty and too large ones, `Unavailable` when
    the storage does not take it. What the file is worth is found out later; see `worker`.
    """
    check_may_edit(actor, bucket)
    refuse_archived(bucket)
    return _receive(actor, bucket, file, safe_name(name), None, clean_tags(tags))


def paste_text(*, actor: User, bucket: Bucket, name: str, text: str, tags: Iterable[str] = ()) -> Added:
    """Receive text that somebody typed or pasted, as a file of Markdown."""
    check_may_edit(actor, bucket)
    refuse_archived(bucket)
    wrong: dict[str, list[str]] = {}
    if not name.strip():
        wrong["name"] = ["Give the text a name, under which it is cited."]
    if not text.strip():
        wrong["text"] = ["There is no text yet. Paste some."]
    elif len(text) > LONGEST_PASTE:
        wrong["text"] = [f"This has {len(text):,} characters; {LONGEST_PASTE:,} may be pasted. Add it as a file."]
    if wrong:
        raise Invalid(fields=wrong)
    title = safe_name(name.replace("/", "-").replace("\\", "-"))
    title = title if title.lower().endswith((".md", ".txt")) else f"{title[: LONGEST_NAME - 3]}.md"
    return _receive(actor, bucket, ContentFile(text.encode("utf-8", "replace")), title, None, clean_tags(tags))


def replace_document(*, actor: User, document: Document, file: File[bytes]) -> Added:
    """Receive the next version of a document, whatever the file is called. The one before is found until this one is ready."""
    bucket = bucket_of(actor, document)
    return _receive(actor, bucket, file, document.name, document, [])


def retry_document(*, actor: User, document: Document) -> Version:
    """Read a file again that failed. Raises `Conflict` when it did not fail."""
    bucket_of(actor, document)
    with transaction.atomic():
        locked = locked_document(document)
        version = Version.objects.select_for_update(no_key=True).filter(pk=locked.newest_id or 0).first()
        if version is None or version.state != State.FAILED:
            raise Conflict(
                f"“{locked.name}” has not failed, so there is nothing to try again.", code="document_not_failed"
            )
        version.state, version.reason, version.attempts, version.lease_until = State.RECEIVED, "", 0, None
        version.finished_at = None
        version.save(update_fields=["state", "reason", "attempts", "lease_until", "finished_at"])
        record(actor=actor, action="document.retried", target=locked)
        transaction.on_commit(tasks.wake)
    return version


def remove_document(*, actor: User, document: Document) -> None:
    """Remove it with all versions; from the moment of this on, no passage of it is found."""
    bucket = bucket_of(actor, document)
    with transaction.atomic():
        locked = locked_document(document)
        record(actor=actor, action="document.removed", target=locked, bucket=str(bucket.uuid))
        Chunk.objects.filter(document=locked).delete()
        Document.objects.filter(pk=locked.pk).update(newest=None, live=None)
        Version.objects.filter(document=locked).delete()
        Document.objects.filter(pk=locked.pk).delete()
        Bucket.objects.filter(pk=bucket.pk).update(updated_at=timezone.now())


def bucket_of(actor: User, document: Document) -> Bucket:
    """The document's bucket, which the actor may change. Raises `NotFound`, `NotAllowed`, `Conflict` for an archived one."""
    bucket = Bucket.objects.filter(pk=document.bucket_id).first()
    if bucket is None:
        raise NotFound("This file has been removed.")
    check_may_edit(actor, bucket)
    refuse_archived(bucket)
    return bucket


def locked_document(document: Document) -> Document:
    """The document as it stands now, locked."""
    found = Document.objects.select_for_update(no_key=True).filter(pk=document.pk).first()
    if found is None:
        raise NotFound("This file has been removed.")
    return found


def _receive(
    actor: User, bucket: Bucket, file: File[bytes], name: str, document: Document | None, tags: list[str]
) -> Added:
    digest, size = _measured(file)
    for _ in range(3):
        content = _stored(bucket, file, digest, size)
        try:
            with transaction.atomic():
                return _kept(actor, bucket, name, content, document, tags)
        except IntegrityError:
            # The unused content was cleared away, or the name given, in this very moment.
            logger.info("“%s” is received once more", name)
    raise Conflict("The same file is being added by somebody else. Look again in a moment.")


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
    try:
        file.seek(0)
        path = default_storage.save(content.path, file)
    except Exception as error:
        logger.exception("The file of content %s could not be stored", content.pk)
        raise Unavailable(
            "The storage for files did not take the file. Try again; if it stays, tell an administrator, who finds the reason in the log."
        ) from error
    if not Content.objects.filter(pk=content.pk, stored_at=None).update(path=path, stored_at=timezone.now()):
        default_storage.delete(path)  # somebody else stored the same content at the same time
    content.refresh_from_db()
    return content


def _kept(
    actor: User, bucket: Bucket, name: str, content: Content, document: Document | None, tags: list[str]
) -> Added:
    """The document with a version of this content, in the caller's transaction."""
    locked = locked_bucket(bucket)
    refuse_archived(locked)
    found = document or Document.objects.filter(bucket=locked, name=name).first()
    if found is None:
        if locked.documents.count() >= MOST_DOCUMENTS:
            raise Invalid(
                f"The bucket has {MOST_DOCUMENTS:,} files, which is as many as it may. Make another bucket for more."
            )
        found = Document.objects.create(bucket=locked, department_id=locked.department_id, name=name)
    else:
        found = locked_document(found)
    if more := [tag for tag in tags if tag not in found.tags]:
        found.tags = clean_tags([*found.tags, *more])
        found.save(update_fields=["tags", "updated_at"])
    newest = Version.objects.filter(pk=found.newest_id or 0).first()
    if newest is not None and newest.content_id == content.pk and newest.state != State.FAILED:
        return Added(found, newest, is_known=True)
    version = _next_version(actor, locked, found, newest, content)
    facts: dict[str, Any] = {"target": found, "bucket": str(locked.uuid), "version": version.number}
    if newest is None:
        record(actor=actor, action="document.added", **facts)
    else:
        record(actor=actor, action="document.replaced", **facts)
    Bucket.objects.filter(pk=locked.pk).update(updated_at=timezone.now())
    transaction.on_commit(tasks.wake)
    return Added(found, version, is_known=False)


def _next_version(actor: User, bucket: Bucket, document: Document, newest: Any, content: Content) -> Version:
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
        number=number,
        language=bucket.language,
        passage_length=bucket.passage_length,
        added_by=actor,
    )
    document.newest = version
    document.dated_on = document.dated_on if same else today()
    document.save(update_fields=["newest", "dated_on", "updated_at"])
    return version

"""The files of a bucket: added, given anew, tried again, removed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.core.files.base import ContentFile
from django.db import transaction
from django.utils import timezone

from audit.services import record
from buckets import tasks
from buckets.models import Bucket, Chunk, Document, State, Version
from buckets.services.rights import check_may_edit
from buckets.worker.naming import LONGEST_NAME, clean_tags, safe_name
from buckets.worker.receiving import Added, Given, locked_document, receive, refuse_archived
from mindloom.web.errors import Conflict, Invalid, NotFound

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.core.files import File

    from accounts.models import User

LONGEST_PASTE = 1_000_000


def add_document(*, actor: User, bucket: Bucket, file: File[bytes], name: str, tags: Iterable[str] = ()) -> Added:
    """Receive a file. Under a name that the bucket has, it is the next version, unless its content is the same; `tags` are added.

    Raises `NotAllowed`, `Conflict` for an archived bucket, `Invalid` about `file` for empty and too large ones, `Unavailable` when
    the storage does not take it. What the file is worth is found out later; see `worker`.
    """
    check_may_edit(actor, bucket)
    refuse_archived(bucket)
    return receive(actor, bucket, Given(file, safe_name(name), tags=clean_tags(tags)), wake=tasks.wake)


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
    given = Given(ContentFile(text.encode("utf-8", "replace")), title, tags=clean_tags(tags))
    return receive(actor, bucket, given, wake=tasks.wake)


def replace_document(*, actor: User, document: Document, file: File[bytes]) -> Added:
    """Receive the next version of a document, whatever the file is called. The one before is found until this one is ready."""
    bucket = bucket_of(actor, document)
    return receive(actor, bucket, Given(file, document.name, document=document), wake=tasks.wake)


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

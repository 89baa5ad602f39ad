"""Addresses of the web that a bucket has documents from: added, fetched again, given up. Workers fetch them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from audit.services import record
from buckets import tasks
from buckets.models import Bucket, WebSource
from buckets.services.rights import check_may_edit
from buckets.worker.naming import clean_tags
from buckets.worker.receiving import locked_bucket, refuse_archived
from features.queries import check_on
from integrations.tools.calling import web_address
from mindloom.web.errors import Invalid, NotFound

if TYPE_CHECKING:
    from collections.abc import Iterable

    from accounts.models import User

MOST_SOURCES = 500
"""Of one bucket."""


def add_source(*, actor: User, bucket: Bucket, url: str, tags: Iterable[str] = ()) -> WebSource:
    """Have a page or feed fetched; one that the bucket has is fetched again. Its documents get the tags.

    Raises `NotAllowed`, `Conflict` for an archived bucket, `Invalid` about `url` and `tags`.
    """
    check_on("web_sources")
    check_may_edit(actor, bucket)
    clean = clean_tags(tags)
    try:
        address = web_address(url if "://" in url else f"https://{url.strip()}")
    except ValueError as error:
        raise Invalid(fields={"url": [str(error)]}) from None
    with transaction.atomic():
        locked = locked_bucket(bucket)
        refuse_archived(locked)
        found = WebSource.objects.select_for_update(no_key=True).filter(bucket=locked, url=address).first()
        if found is None:
            if locked.sources.count() >= MOST_SOURCES:
                said = f"The bucket has {MOST_SOURCES:,} addresses, which is as many as it may. Make another bucket for more."
                raise Invalid(fields={"url": [said]})
            found = WebSource(bucket=locked, department_id=locked.department_id, url=address)
        found.tags = clean_tags([*found.tags, *clean])
        return _wanted(actor, found)


def refresh_source(*, actor: User, source: WebSource) -> WebSource:
    """Fetch it again. What has changed becomes the next version of its document."""
    check_on("web_sources")
    with transaction.atomic():
        return _wanted(actor, _locked(actor, source))


def remove_source(*, actor: User, source: WebSource) -> None:
    """Fetch it no more. Its documents stay, and still say where they are from."""
    with transaction.atomic():
        found = _locked(actor, source)
        record(actor=actor, action="source.removed", target=found, url=found.url)
        found.delete()


def _locked(actor: User, source: WebSource) -> WebSource:
    check_may_edit(actor, source.bucket)
    refuse_archived(source.bucket)
    found = WebSource.objects.select_for_update(no_key=True).filter(pk=source.pk).first()
    if found is None:
        raise NotFound("This address has been taken away.")
    return found


def _wanted(actor: User, source: WebSource) -> WebSource:
    is_new = source.pk is None
    source.is_wanted, source.reason, source.attempts, source.lease_until = True, "", 0, None
    source.fence += 1  # whoever fetches it now does it for nothing
    source.asked_by = actor
    source.save()
    if is_new:
        record(actor=actor, action="source.added", target=source, url=source.url)
    else:
        record(actor=actor, action="source.refreshed", target=source, url=source.url)
    transaction.on_commit(tasks.wake)
    return source

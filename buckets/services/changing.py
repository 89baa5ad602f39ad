"""What people change of a file that is there: its name, its tags, its date."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, transaction

from audit.services import difference, record
from buckets.services.documents import bucket_of
from buckets.worker.naming import clean_tags, safe_name
from buckets.worker.receiving import locked_document
from mindloom.web.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Mapping

    from accounts.models import User
    from buckets.models import Document


def change_document(*, actor: User, document: Document, values: Mapping[str, Any]) -> Document:
    """Change what is given of `name`, `tags` and `dated_on`; searches and citations know it at once.

    Raises `Invalid` with the fields at fault, such as a name that is taken.
    """
    bucket_of(actor, document)
    clean = dict(values)
    if "name" in clean:
        clean["name"] = safe_name(str(clean["name"]))
    if "tags" in clean:
        clean["tags"] = clean_tags(clean["tags"])
    try:
        with transaction.atomic():
            locked = locked_document(document)
            before = {name: getattr(locked, name) for name in clean}
            changed = [name for name in clean if clean[name] != before[name]]
            for name in changed:
                setattr(locked, name, clean[name])
            if changed:
                locked.save(update_fields=[*changed, "updated_at"])
                record(actor=actor, action="document.changed", target=locked, **difference(before, clean))
    except IntegrityError:
        taken = f"The bucket already has a file called “{clean['name']}”. Choose another name."
        raise Invalid(fields={"name": [taken]}) from None
    return locked

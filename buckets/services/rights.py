"""Who may change a bucket."""

from __future__ import annotations

from typing import TYPE_CHECKING

from buckets.models import Bucket
from mindloom.web.errors import NotAllowed, NotFound

if TYPE_CHECKING:
    from accounts.models import User

REFUSAL = "Only the bucket’s owner and the department’s managers may change it."


def check_may_edit(actor: User, bucket: Bucket) -> None:
    """Raise `NotFound` or `NotAllowed` unless the actor may change the bucket."""
    if not Bucket.objects.visible_to(actor).filter(pk=bucket.pk).exists():
        raise NotFound("There is no such bucket, or not for you.")
    if not Bucket.objects.editable_by(actor).filter(pk=bucket.pk).exists():
        raise NotAllowed(REFUSAL)

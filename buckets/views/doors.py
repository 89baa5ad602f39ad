"""What the pages of buckets share: which bucket, what the person may do with it, and its tabs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.shortcuts import get_object_or_404
from django.urls import NoReverseMatch, reverse

from accounts.models import Role
from accounts.queries import may
from buckets.models import Bucket, Document
from buckets.queries import counted, state_counts
from mindloom.web.errors import NotAllowed

if TYPE_CHECKING:
    from uuid import UUID

    from accounts.middleware import Request


def visible(request: Request, uuid: UUID) -> Bucket:
    """The bucket, or 404."""
    buckets = counted(
        Bucket.objects.visible_to(request.user).select_related("owner", "department", "embedding_model", "generation")
    )
    return get_object_or_404(buckets, uuid=uuid)


def editable(request: Request, uuid: UUID) -> Bucket:
    """The bucket; 404 when the person does not see it, 403 when they may not change it."""
    bucket = visible(request, uuid)
    if not Bucket.objects.editable_by(request.user).filter(pk=bucket.pk).exists():
        raise NotAllowed("Only its owner and the department’s managers may change this bucket.")
    if request.department is None or request.department.pk != bucket.department_id:
        raise NotAllowed(f"This is a bucket of {bucket.department}. Switch to {bucket.department} to change it.")
    return bucket


def document_of(bucket: Bucket, uuid: UUID) -> Document:
    """The document of this bucket, or 404."""
    rows = bucket.documents.select_related("newest__content", "newest__added_by", "live__content")
    return get_object_or_404(rows, uuid=uuid)


def may_create(request: Request) -> bool:
    """Whether the person may make buckets in the department they work in."""
    return request.department is not None and may(request.user, Role.MEMBER, request.department.pk)


def frame(request: Request, bucket: Bucket, tab: str) -> dict[str, Any]:
    """What the head of every page of a bucket shows."""
    own = bucket.owner_id == request.user.pk or may(request.user, Role.MANAGER, bucket.department_id)
    inside = request.department is not None and request.department.pk == bucket.department_id
    return {
        "bucket": bucket,
        "title": bucket.name,
        "tab": tab,
        "counts": state_counts(bucket),
        "is_inside": inside,
        "may_edit": inside and own and may_create(request),
    }


def uses(bucket: Bucket, *, only_list: bool = False) -> list[str]:
    """The addresses of fragments of higher apps that list what uses the bucket, and that let it be attached."""
    found = []
    for name in ("agents:using_bucket", "teams:using_bucket"):
        try:
            found.append(reverse(name, args=[bucket.uuid]) + ("?only=list" if only_list else ""))
        except NoReverseMatch:
            continue
    return found

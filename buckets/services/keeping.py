"""The life of a bucket: made, changed, archived, handed over, deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from accounts.models import Role
from accounts.queries import may
from audit.services import record
from buckets import tasks
from buckets.models import UNDER_WAY, Bucket, Document, State, Version
from buckets.worker.receiving import locked_bucket, refuse_archived
from mindloom.web.errors import Conflict, Invalid, NotAllowed, NotFound

if TYPE_CHECKING:
    from collections.abc import Mapping

    from accounts.models import User

FIELDS = ("name", "description", "visibility", "language", "passage_length")
"""What can be set of a bucket."""
_CUT_BY = ("language", "passage_length")
"""Of these, what decides how passages are made: when it changes, every file is cut anew beside what is searched."""
REFUSAL = "Only the bucket’s owner and the department’s managers may change it."


def create_bucket(*, actor: User, department_id: int, **values: Any) -> Bucket:
    """Make a bucket, owned by the actor. Raises `NotAllowed` for viewers and strangers, `Invalid` with the fields at fault."""
    if not may(actor, Role.MEMBER, department_id):
        raise NotAllowed("You may not make buckets in this department. Ask one of its managers.")
    bucket = Bucket(department_id=department_id, owner=actor)
    with transaction.atomic():
        _set(bucket, {"name": "", **values})
        record(actor=actor, action="bucket.created", target=bucket)
    return bucket


def update_bucket(*, actor: User, bucket: Bucket, values: Mapping[str, Any]) -> Bucket:
    """Change what is given of `FIELDS`. Until files are cut anew, the passages of before are found.

    Raises `NotAllowed`, `Conflict` for an archived bucket, `Invalid` with the fields at fault.
    """
    check_may_edit(actor, bucket)
    with transaction.atomic():
        locked = locked_bucket(bucket)
        refuse_archived(locked)
        before = {name: getattr(locked, name) for name in FIELDS}
        _set(locked, values)
        changed = [name for name in FIELDS if getattr(locked, name) != before[name]]
        if changed:
            record(actor=actor, action="bucket.changed", target=locked, fields=changed)
        if set(changed) & set(_CUT_BY):
            _cut_anew(actor, locked)
    return locked


def archive_bucket(*, actor: User, bucket: Bucket) -> Bucket:
    """Take it out of use: nothing in it is found until it is restored. Archiving twice changes nothing."""
    check_may_edit(actor, bucket)
    with transaction.atomic():
        locked = locked_bucket(bucket)
        if locked.archived_at is None:
            locked.archived_at = timezone.now()
            locked.save(update_fields=["archived_at", "updated_at"])
            record(actor=actor, action="bucket.archived", target=locked)
    return locked


def restore_bucket(*, actor: User, bucket: Bucket) -> Bucket:
    """Bring an archived one back. Raises `Conflict` when its name is in use again."""
    check_may_edit(actor, bucket)
    try:
        with transaction.atomic():
            locked = locked_bucket(bucket)
            if locked.archived_at is not None:
                locked.archived_at = None
                locked.save(update_fields=["archived_at", "updated_at"])
                record(actor=actor, action="bucket.restored", target=locked)
    except IntegrityError:
        raise Conflict(
            f"Another bucket is called “{bucket.name}” by now. Rename that one, then restore this one.",
            code="name_taken",
        ) from None
    return locked


def transfer_bucket(*, actor: User, bucket: Bucket, to: User) -> Bucket:
    """Make somebody else the owner. Raises `Invalid` when they could not look after it."""
    check_may_edit(actor, bucket)
    with transaction.atomic():
        locked = locked_bucket(bucket)
        if not may(to, Role.MEMBER, locked.department_id):
            sentence = f"{to.name or to} is no member of this department, so they cannot look after it."
            raise Invalid(sentence, fields={"owner": [sentence]})
        if locked.owner_id != to.pk:
            locked.owner = to
            locked.save(update_fields=["owner", "updated_at"])
            record(actor=actor, action="bucket.transferred", target=locked, to=to.email)
    return locked


def delete_bucket(*, actor: User, bucket: Bucket, confirm: str) -> None:
    """Remove the bucket with its documents, for good. `confirm` must be its name, typed. Raises `NotAllowed`, `Invalid`."""
    check_may_edit(actor, bucket)
    with transaction.atomic():
        locked = locked_bucket(bucket)
        if " ".join(confirm.split()) != locked.name:
            raise Invalid(fields={"confirm": [f"Type the bucket’s name, “{locked.name}”, to delete it."]})
        record(actor=actor, action="bucket.deleted", target=locked, documents=locked.documents.count())
        locked.delete()


def check_may_edit(actor: User, bucket: Bucket) -> None:
    """Raise `NotFound` or `NotAllowed` unless the actor may change the bucket."""
    if not Bucket.objects.visible_to(actor).filter(pk=bucket.pk).exists():
        raise NotFound("There is no such bucket, or not for you.")
    if not Bucket.objects.editable_by(actor).filter(pk=bucket.pk).exists():
        raise NotAllowed(REFUSAL)


def _set(bucket: Bucket, values: Mapping[str, Any]) -> None:
    """Put values into the row and keep it. Raises `Invalid` with all fields at fault."""
    for name in FIELDS:
        if values.get(name) is not None:
            given = str(values[name])
            setattr(bucket, name, given.strip() if name == "description" else " ".join(given.split()))
    wrong = _wrong(bucket)
    if wrong:
        raise Invalid("Some fields are not right. Correct the marked ones.", fields=wrong)
    try:
        with transaction.atomic():
            bucket.save()
    except IntegrityError:
        raise Invalid(fields={"name": ["This name is taken. Choose another one."]}) from None


def _wrong(bucket: Bucket) -> dict[str, list[str]]:
    """Sentences about the row, by field."""
    wrong: dict[str, list[str]] = {}
    if not bucket.name:
        wrong["name"] = ["Give the bucket a name."]
    for name in ("name", "description"):
        if not getattr(bucket, name).replace("\n", "").isprintable():
            wrong[name] = ["This contains characters that cannot be shown. Type it again."]
    if wrong:
        return wrong
    try:
        bucket.full_clean(exclude=["department", "owner"])
    except ValidationError as error:
        wrong = {name: [str(one) for one in messages] for name, messages in error.message_dict.items()}
        if taken := wrong.pop(NON_FIELD_ERRORS, None):
            wrong["name"] = taken
    return wrong


def _cut_anew(actor: User, bucket: Bucket) -> None:
    """Every document gets a version of the same content under the new settings, which takes over when it is complete."""
    documents = list(bucket.documents.select_related("newest").select_for_update(of=("self",), no_key=True))
    former = [one.newest for one in documents if one.newest is not None]
    Version.objects.filter(pk__in=[one.pk for one in former], state__in=UNDER_WAY).update(
        state=State.REPLACED, finished_at=timezone.now(), fence=F("fence") + 1
    )
    made = Version.objects.bulk_create(
        [
            Version(
                document_id=one.document_id,
                department_id=one.department_id,
                content_id=one.content_id,
                number=one.number,
                language=bucket.language,
                passage_length=bucket.passage_length,
                added_by=actor,
            )
            for one in former
        ]
    )
    newest = {version.document_id: version for version in made}
    for document in documents:
        document.newest = newest.get(document.pk)
    Document.objects.bulk_update(documents, ["newest"], batch_size=500)
    transaction.on_commit(tasks.wake)

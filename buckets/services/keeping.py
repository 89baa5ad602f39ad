"""The life of a bucket: made, changed, archived, handed over, deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import Role
from accounts.queries import may
from audit.services import difference, record
from buckets.models import Bucket, Generation, GenerationState
from buckets.services.generations import begin
from buckets.services.rights import check_may_edit
from buckets.worker.receiving import locked_bucket, refuse_archived
from integrations.models import Model, Purpose
from mindloom.web.errors import Conflict, Invalid, NotAllowed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from accounts.models import User

FIELDS = ("name", "description", "visibility", "language", "passage_length", "embedding_model")
"""What can be set of a bucket."""
_MADE_BY = ("language", "passage_length", "embedding_model")
"""Of these, what decides how passages are made: when it changes, a generation is built beside what is searched."""


def create_bucket(*, actor: User, department_id: int, **values: Any) -> Bucket:
    """Make a bucket, owned by the actor. Raises `NotAllowed` for viewers and strangers, `Invalid` with the fields at fault."""
    if not may(actor, Role.MEMBER, department_id):
        raise NotAllowed("You may not make buckets in this department. Ask one of its managers.")
    bucket = Bucket(department_id=department_id, owner=actor)
    with transaction.atomic():
        _set(bucket, {"name": "", **values})
        bucket.generation = Generation.objects.create(
            bucket=bucket,
            department_id=department_id,
            number=1,
            **{name: getattr(bucket, name) for name in _MADE_BY},
            state=GenerationState.LIVE,
            live_at=timezone.now(),
            made_by=actor,
        )
        bucket.save(update_fields=["generation"])
        record(actor=actor, action="bucket.created", target=bucket)
    return bucket


def update_bucket(*, actor: User, bucket: Bucket, values: Mapping[str, Any]) -> Bucket:
    """Change what is given of `FIELDS`. What decides how passages are made changes when all files are made so.

    Until then, and as long as the bucket's questions would find less, the passages of before are searched. Raises `NotAllowed`, `Conflict` for an archived bucket, `Invalid` with the fields at fault.
    """
    check_may_edit(actor, bucket)
    with transaction.atomic():
        locked = locked_bucket(bucket)
        refuse_archived(locked)
        before = {name: getattr(locked, name) for name in FIELDS}
        wanted = _set(locked, values)
        changed = [name for name in FIELDS if wanted[name] != before[name]]
        if changed:
            record(actor=actor, action="bucket.changed", target=locked, **difference(before, wanted))
        if set(values) & set(_MADE_BY):
            begin(actor, locked, {name: wanted[name] for name in _MADE_BY if name in values})
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


def _set(bucket: Bucket, values: Mapping[str, Any]) -> dict[str, Any]:
    """Put values into the row and keep it; returns what is wanted of all fields. Raises `Invalid` with all fields at fault.

    Of a bucket that is there, what passages are made by is checked and left as it is.
    """
    kept = {name: getattr(bucket, name) for name in _MADE_BY}
    for name in FIELDS:
        if values.get(name) is not None and name != "embedding_model":
            given = str(values[name])
            setattr(bucket, name, given.strip() if name == "description" else " ".join(given.split()))
    if "embedding_model" in values:
        bucket.embedding_model = values["embedding_model"]
    wrong = _wrong(bucket)
    model = bucket.embedding_model
    usable = Model.objects.usable(Purpose.EMBEDDING)
    if model is not None and model != kept["embedding_model"] and not usable.filter(pk=model.pk).exists():
        wrong["embedding_model"] = [f"“{model.label}” can’t be used to find passages. Choose another model, or none."]
    if wrong:
        raise Invalid("Some fields are not right. Correct the marked ones.", fields=wrong)
    wanted = {name: getattr(bucket, name) for name in FIELDS}
    if bucket.pk is not None:
        for name in _MADE_BY:
            setattr(bucket, name, kept[name])
    try:
        with transaction.atomic():
            bucket.save()
    except IntegrityError:
        raise Invalid(fields={"name": ["This name is taken. Choose another one."]}) from None
    return wanted


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
        bucket.full_clean(exclude=["department", "owner", "generation", "embedding_model"])
    except ValidationError as error:
        wrong = {name: [str(one) for one in messages] for name, messages in error.message_dict.items()}
        if taken := wrong.pop(NON_FIELD_ERRORS, None):
            wrong["name"] = taken
    return wrong

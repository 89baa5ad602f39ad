"""What a changed setting builds beside what is searched: begun, taken all the same, thrown away, taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Max

from audit.services import record
from buckets import tasks, worker
from buckets.models import Bucket, Generation, GenerationState, Question
from buckets.models.generations import NEXT
from buckets.queries import settings_of
from buckets.services.rights import check_may_edit
from buckets.worker.receiving import locked_bucket, refuse_archived
from mindloom.web.errors import Conflict, Invalid, NotFound

if TYPE_CHECKING:
    from collections.abc import Mapping

    from accounts.models import User
    from buckets.models import Document

MOST_QUESTIONS = 500
"""Of a bucket: each is asked twice before a generation goes live."""
LONGEST_QUESTION = 1_000


def begin(actor: User, bucket: Bucket, settings: Mapping[str, Any]) -> None:
    """Have the bucket made by these settings, in the caller's transaction, with the bucket locked. Others stay as they are wanted.

    An empty one is at once. What was being built is thrown away; so it is when the settings are those in use again.
    """
    live = bucket.generation
    settings = settings_of(bucket) | dict(settings)
    former = Generation.objects.filter(bucket=bucket, state__in=NEXT).first()
    if former is not None and all(getattr(former, name) == value for name, value in settings.items()):
        return
    if former is not None:
        worker.dissolve(former)
        record(actor=actor, action="generation.discarded", target=bucket, number=former.number)
    if live is not None and all(getattr(live, name) == value for name, value in settings.items()):
        return
    if live is not None and not bucket.documents.exists():
        for row in (bucket, live):
            for name, value in settings.items():
                setattr(row, name, value)
            row.save(update_fields=list(settings))
        return
    number = (bucket.generations.aggregate(most=Max("number"))["most"] or 0) + 1
    made = Generation.objects.create(
        bucket=bucket, department_id=bucket.department_id, number=number, made_by=actor, **settings
    )
    worker.fill(made)
    record(actor=actor, action="generation.begun", target=bucket, number=number)
    transaction.on_commit(tasks.wake)


def adopt_generation(*, actor: User, bucket: Bucket) -> Bucket:
    """Use what was built although questions find less in it. What came since it was built is added first. Raises `Conflict`."""
    check_may_edit(actor, bucket)
    with transaction.atomic():
        locked, found = _chosen(bucket, GenerationState.HELD, "Nothing waits for a decision.")
        record(actor=actor, action="generation.adopted", target=locked, number=found.number)
        _use(locked, found)
    return locked


def revert_generation(*, actor: User, bucket: Bucket) -> Bucket:
    """Search again what was searched before the last change; what was added since is added to it. Raises `Conflict`."""
    check_may_edit(actor, bucket)
    with transaction.atomic():
        if Generation.objects.filter(bucket=bucket, state__in=NEXT).exists():
            raise Conflict("Something new is being built. Throw it away first.", code="generation_under_way")
        locked, found = _chosen(bucket, GenerationState.FORMER, "There is nothing from before to go back to.")
        record(actor=actor, action="generation.reverted", target=locked, number=found.number)
        _use(locked, found)
    return locked


def discard_generation(*, actor: User, bucket: Bucket) -> Bucket:
    """Throw away what is built, or waits for a decision. What is searched stays. Raises `Conflict` when there is nothing."""
    check_may_edit(actor, bucket)
    with transaction.atomic():
        locked = locked_bucket(bucket)
        found = Generation.objects.filter(bucket=locked, state__in=NEXT).first()
        if found is None:
            raise Conflict("Nothing is being built.", code="no_generation")
        worker.dissolve(found)
        record(actor=actor, action="generation.discarded", target=locked, number=found.number)
    return locked


def _chosen(bucket: Bucket, state: GenerationState, nothing: str) -> tuple[Bucket, Generation]:
    """The bucket and its generation in this state, locked. Raises `Conflict`."""
    locked = locked_bucket(bucket)
    refuse_archived(locked)
    found = Generation.objects.select_for_update(no_key=True).filter(bucket=locked, state=state).first()
    if found is None:
        raise Conflict(nothing, code="no_generation")
    return locked, found


def _use(bucket: Bucket, generation: Generation) -> None:
    """Make it the live one: at once when nothing is missing in it, else when it is complete."""
    Generation.objects.filter(pk=generation.pk).update(state=GenerationState.BUILDING, is_forced=True)
    generation.state = GenerationState.BUILDING
    if not worker.fill(generation):
        worker.go_live(bucket, generation)
    transaction.on_commit(tasks.wake)


def save_question(*, actor: User, bucket: Bucket, text: str, document: Document | None) -> Question:
    """Keep a question with the document that answers it; a new generation must find at least as many. Raises `Invalid`."""
    check_may_edit(actor, bucket)
    refuse_archived(bucket)
    asked = " ".join(text.replace("\x00", " ").split())
    wrong: dict[str, list[str]] = {}
    if not asked:
        wrong["text"] = ["Write the question."]
    elif len(asked) > LONGEST_QUESTION:
        wrong["text"] = [f"A question has {LONGEST_QUESTION:,} characters at most."]
    if document is None or document.bucket_id != bucket.pk:
        wrong["document"] = ["Choose the file of this bucket that has the answer."]
    elif not wrong and bucket.questions.count() >= MOST_QUESTIONS:
        wrong["text"] = [f"The bucket has {MOST_QUESTIONS} questions, which is as many as it may. Remove one first."]
    if wrong or document is None:
        raise Invalid(fields=wrong)
    with transaction.atomic():
        question, is_new = Question.objects.get_or_create(
            bucket=bucket,
            text=asked,
            document=document,
            defaults={"department_id": bucket.department_id, "added_by": actor},
        )
        if is_new:
            record(actor=actor, action="question.saved", target=bucket, document=str(document.uuid))
    return question


def remove_question(*, actor: User, question: Question) -> None:
    """Ask it no longer."""
    check_may_edit(actor, question.bucket)
    with transaction.atomic():
        if not Question.objects.filter(pk=question.pk).delete()[0]:
            raise NotFound("This question is gone already.")
        record(actor=actor, action="question.removed", target=question.bucket)

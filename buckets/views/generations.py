"""Decisions about what is built beside what is searched, and the questions that it has to answer."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_POST

from buckets import services, worker
from buckets.views.doors import editable
from integrations.providers import EmbeddingError
from mindloom.web.errors import Conflict, Invalid

if TYPE_CHECKING:
    from uuid import UUID

    from django.http import HttpResponse

    from accounts.middleware import Request
    from buckets.models import Bucket, Question

SHOWN = 100
_DECISIONS = {
    "adopt": (services.adopt_generation, "The new passages are used."),
    "discard": (services.discard_generation, "What was built is thrown away; what is searched stays as it was."),
    "revert": (services.revert_generation, "The passages of before are searched again."),
}


@login_required
@require_POST
def decide_generation(request: Request, uuid: UUID) -> HttpResponse:
    """Use it anyway, throw it away, or go back."""
    bucket = editable(request, uuid)
    if request.POST.get("action") not in _DECISIONS:
        raise Http404
    verb, said = _DECISIONS[request.POST["action"]]
    try:
        verb(actor=request.user, bucket=bucket)
    except Conflict as error:
        messages.error(request, error.message)
    else:
        messages.success(request, said)
    return redirect("buckets:settings", bucket.uuid)


@login_required
@require_POST
def add_question(request: Request, uuid: UUID) -> HttpResponse:
    """Keep the question that was just asked, with the file that has the answer."""
    bucket = editable(request, uuid)
    text, wanted = request.POST.get("text", ""), request.POST.get("document", "")
    document = next((one for one in bucket.documents.all() if str(one.uuid) == wanted), None) if wanted else None
    try:
        services.save_question(actor=request.user, bucket=bucket, text=text, document=document)
    except (Invalid, Conflict) as error:
        said = " ".join(sentence for sentences in error.fields.values() for sentence in sentences)
        messages.error(request, said or error.message)
    else:
        messages.success(request, "The question is kept. Before new settings are used, it must still be answered.")
    return _back(bucket.uuid, text)


@login_required
@require_POST
def remove_question(request: Request, uuid: UUID, question_uuid: UUID) -> HttpResponse:
    bucket = editable(request, uuid)
    question = get_object_or_404(bucket.questions.select_related("bucket"), uuid=question_uuid)
    services.remove_question(actor=request.user, question=question)
    messages.success(request, "The question is asked no longer.")
    return _back(bucket.uuid, "")


def asked(bucket: Bucket, *, check: bool) -> list[tuple[Question, bool | None]]:
    """The bucket's questions, newest first; with `check`, whether each finds its file now, None when that can't be told."""
    found: list[tuple[Question, bool | None]] = []
    for question in bucket.questions.select_related("document", "added_by").order_by("-pk")[:SHOWN]:
        answered: bool | None = None
        if check and bucket.generation is not None and bucket.archived_at is None:
            with suppress(EmbeddingError):
                answered = worker.answers(bucket, bucket.generation, question)
        found.append((question, answered))
    return found


def _back(uuid: UUID, text: str) -> HttpResponse:
    address = reverse("buckets:search", args=[uuid])
    return redirect(f"{address}?{urlencode({'q': text})}" if text else address)

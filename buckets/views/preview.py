"""How a file would be cut into passages, before the bucket's settings are changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.auth.decorators import login_required
from django.views.decorators.http import require_safe

from buckets import worker
from buckets.forms import PreviewForm
from buckets.queries import document_rows
from buckets.views.doors import document_of, frame, visible
from mindloom.web.http import render_page

if TYPE_CHECKING:
    from uuid import UUID

    from django.http import HttpResponse

    from accounts.middleware import Request

MOST_FILES = 500
SHOWN = 12


@login_required
@require_safe
def preview(request: Request, uuid: UUID) -> HttpResponse:
    """All three lengths compared for one file, and the first passages of the one that is chosen."""
    bucket = visible(request, uuid)
    documents = list(document_rows(bucket).exclude(newest=None)[:MOST_FILES])
    first = str(documents[0].uuid) if documents else ""
    form = PreviewForm(request.GET, documents, {"document": first, "length": bucket.passage_length})
    given = form.cleaned_data if form.is_bound and form.is_valid() else form.initial
    cuts = []
    if documents and not form.errors:
        cuts = worker.cuts(document_of(bucket, given["document"]), shown=SHOWN)
    chosen = next((one for one in cuts if one.length == given["length"]), None)
    context = {**frame(request, bucket, "settings"), "form": form, "cuts": cuts, "chosen": chosen}
    status = 422 if form.errors else 200
    return render_page(request, "buckets/preview.html", context, partials={"cuts": "cuts"}, status=status)

"""The files of a bucket, and the ways to add some."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from buckets import services
from buckets.forms import PasteForm
from buckets.queries import document_rows
from buckets.views.doors import editable, frame, visible
from features.queries import is_on
from integrations.forms import add_errors
from mindloom.web.errors import Conflict, Invalid, Unavailable
from mindloom.web.http import render_page

if TYPE_CHECKING:
    from uuid import UUID

    from django.http import HttpResponse

    from accounts.middleware import Request
    from buckets.models import Bucket

PAGE = 50


@login_required
@require_safe
def files_page(request: Request, uuid: UUID) -> HttpResponse:
    """The files with how far each is; the list looks again by itself while some are worked on."""
    bucket = visible(request, uuid)
    text = request.GET.get("q", "").replace("\x00", "").strip()[:100]
    context = {
        **frame(request, bucket, "files"),
        "web_is_on": is_on("web_sources"),
        "text": text,
        "page": Paginator(document_rows(bucket, text), PAGE).get_page(request.GET.get("page")),
        "most_mb": settings.DOCUMENT_MAX_BYTES // (1024 * 1024),
    }
    return render_page(request, "buckets/files.html", context, partials={"files": "files"})


@login_required
@require_POST
def upload(request: Request, uuid: UUID) -> HttpResponse:
    """Files of the picker, for browsers without scripts; one that is refused keeps none of the others back."""
    bucket = editable(request, uuid)
    files = request.FILES.getlist("file")
    if not files:
        messages.error(request, "Choose at least one file.")
    added, known, tags = 0, 0, services.split_tags(request.POST.get("tags", ""))
    for file in files:
        try:
            name = file.name or "file"
            result = services.add_document(actor=request.user, bucket=bucket, file=file, name=name, tags=tags)
        except (Invalid, Conflict, Unavailable) as error:
            messages.error(request, f"{file.name}: {_said(error)}")
            continue
        added, known = added + (not result.is_known), known + result.is_known
    if added:
        messages.success(request, f"{added} file{'s are' if added > 1 else ' is'} received and being read.")
    if known:
        messages.info(request, f"{known} file{'s were' if known > 1 else ' was'} there already, unchanged.")
    return redirect("buckets:files", bucket.uuid)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def paste(request: Request, uuid: UUID) -> HttpResponse:
    """Text that becomes a file."""
    bucket = editable(request, uuid)
    form = PasteForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        given = {**form.cleaned_data, "tags": services.split_tags(form.cleaned_data["tags"])}
        try:
            made = services.paste_text(actor=request.user, bucket=bucket, **given)
        except Invalid as error:
            add_errors(form, error.fields, error.message)
        else:
            messages.success(request, f"“{made.document.name}” is received and being read.")
            return redirect("buckets:files", bucket.uuid)
    context: dict[str, Any] = {"form": form, **_names(bucket)}
    return render_page(request, "buckets/paste.html", context, status=422 if form.errors else 200)


def _names(bucket: Bucket) -> dict[str, Any]:
    return {"bucket": bucket, "title": bucket.name}


def _said(error: Invalid | Conflict | Unavailable) -> str:
    return " ".join(sentence for sentences in error.fields.values() for sentence in sentences) or error.message

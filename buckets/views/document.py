"""One file of a bucket: its text, its versions, and what can be done with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST, require_safe

from buckets import services
from buckets.forms import DocumentForm
from buckets.queries import found_passages, live_pages, versions_of
from buckets.stream import download
from buckets.views.doors import document_of, editable, frame, visible
from integrations.forms import add_errors
from mindloom.web.errors import Conflict, Invalid, Unavailable
from mindloom.web.http import render_page

if TYPE_CHECKING:
    from uuid import UUID

    from django.http import HttpResponse
    from django.http.response import HttpResponseBase

    from accounts.middleware import Request
    from buckets.models import Bucket, Document

PAGE = 1
PASSAGES = 20


@login_required
@require_safe
def document_page(request: Request, uuid: UUID, document_uuid: UUID) -> HttpResponse:
    """The text as it was read, a page at a time, and the versions. `?version=` shows another one's."""
    bucket = visible(request, uuid)
    context = _shown(request, bucket, document_of(bucket, document_uuid))
    return render_page(request, "buckets/document.html", context, partials={"text": "text"})


def _shown(request: Request, bucket: Bucket, document: Document) -> dict[str, Any]:
    versions = versions_of(document, bucket)
    shown = document.live or document.newest
    if wanted := request.GET.get("version"):
        number = int(wanted) if wanted.isascii() and wanted.isdigit() and len(wanted) < 10 else 0
        shown = get_object_or_404(versions.filter(number=number)[:1]) if number else None
    if shown is None:
        raise Http404
    as_passages = request.GET.get("view") == "passages"
    rows: Any = found_passages(shown) if as_passages else live_pages(shown)
    pages = Paginator(rows, PASSAGES if as_passages else PAGE).get_page(request.GET.get("page"))
    return {
        **frame(request, bucket, "files"),
        "form": DocumentForm(None, document),
        "document": document,
        "version": shown,
        "versions": versions[:50],
        "page": pages,
        "as_passages": as_passages,
        "part": None if as_passages else next(iter(pages.object_list), None),
    }


@login_required
@require_safe
def content_file(request: Request, uuid: UUID, document_uuid: UUID, number: int) -> HttpResponseBase:
    """The file as it was given, to take away."""
    document = document_of(visible(request, uuid), document_uuid)
    versions = document.versions.select_related("content").filter(number=number) if number < 2**31 else None
    version = versions.order_by("-id").first() if versions is not None else None
    if version is None:
        raise Http404
    return download(document.name, version.content)


@login_required
@require_POST
def retry(request: Request, uuid: UUID, document_uuid: UUID) -> HttpResponse:
    document = document_of(editable(request, uuid), document_uuid)
    try:
        services.retry_document(actor=request.user, document=document)
    except Conflict as error:
        messages.error(request, error.message)
    else:
        messages.success(request, f"“{document.name}” is read again.")
    return redirect("buckets:files", uuid)


@login_required
@require_POST
def replace(request: Request, uuid: UUID, document_uuid: UUID) -> HttpResponse:
    """The next version of a file, whatever it is called."""
    document = document_of(editable(request, uuid), document_uuid)
    file = request.FILES.get("file")
    if file is None:
        messages.error(request, "Choose the new file first.")
        return _back(document, uuid)
    try:
        result = services.replace_document(actor=request.user, document=document, file=file)
    except (Invalid, Conflict, Unavailable) as error:
        said = " ".join(sentence for sentences in error.fields.values() for sentence in sentences)
        messages.error(request, said or error.message)
    else:
        if result.is_known:
            messages.info(request, "This is the file that is there already, so nothing was changed.")
        else:
            messages.success(
                request, f"Version {result.version.number} is being read. Until it is ready, the one before is found."
            )
    return _back(document, uuid)


@login_required
@require_POST
def change(request: Request, uuid: UUID, document_uuid: UUID) -> HttpResponse:
    """Its name, tags and date."""
    bucket = editable(request, uuid)
    document = document_of(bucket, document_uuid)
    form = DocumentForm(request.POST, document)
    if form.is_valid():
        values = {**form.cleaned_data, "tags": services.split_tags(form.cleaned_data["tags"])}
        try:
            changed = services.change_document(actor=request.user, document=document, values=values)
        except Invalid as error:
            add_errors(form, error.fields, error.message)
        else:
            messages.success(request, f"“{changed.name}” is saved.")
            return _back(document, uuid)
    context = _shown(request, bucket, document) | {"form": form}
    return render_page(request, "buckets/document.html", context, status=422)


@login_required
@require_POST
def remove(request: Request, uuid: UUID, document_uuid: UUID) -> HttpResponse:
    document = document_of(editable(request, uuid), document_uuid)
    services.remove_document(actor=request.user, document=document)
    messages.success(request, f"“{document.name}” is removed; nothing of it is found any more.")
    return redirect("buckets:files", uuid)


def _back(document: Document, uuid: UUID) -> HttpResponse:
    return redirect("buckets:document", uuid, document.uuid)

"""Pages and feeds of the web that a bucket has documents from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods, require_POST

from buckets import services
from buckets.forms import WebForm
from buckets.queries import source_rows
from buckets.views.doors import editable, frame
from integrations.forms import add_errors
from mindloom.web.errors import Conflict, Invalid
from mindloom.web.http import render_page

if TYPE_CHECKING:
    from uuid import UUID

    from django.http import HttpResponse

    from accounts.middleware import Request
    from buckets.models import WebSource


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def web_page(request: Request, uuid: UUID) -> HttpResponse:
    """A form for an address, and what became of those before; the list looks again by itself while some are fetched."""
    bucket = editable(request, uuid)
    form = WebForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        tags = services.split_tags(form.cleaned_data["tags"])
        try:
            made = services.add_source(actor=request.user, bucket=bucket, url=form.cleaned_data["url"], tags=tags)
        except Invalid as error:
            add_errors(form, error.fields, error.message)
        except Conflict as error:
            form.add_error(None, error.message)
        else:
            messages.success(request, f"{made.url} is fetched in a moment.")
            return redirect("buckets:web", bucket.uuid)
    sources = list(source_rows(bucket))
    context = {
        **frame(request, bucket, "files"),
        "form": form,
        "sources": sources,
        "is_live": any(one.is_wanted for one in sources),
    }
    status = 422 if form.errors else 200
    return render_page(request, "buckets/web.html", context, partials={"sources": "sources"}, status=status)


@login_required
@require_POST
def refresh_source(request: Request, uuid: UUID, source_uuid: UUID) -> HttpResponse:
    source = _source(request, uuid, source_uuid)
    try:
        services.refresh_source(actor=request.user, source=source)
    except Conflict as error:
        messages.error(request, error.message)
    else:
        messages.success(request, f"{source.url} is fetched again in a moment.")
    return redirect("buckets:web", uuid)


@login_required
@require_POST
def remove_source(request: Request, uuid: UUID, source_uuid: UUID) -> HttpResponse:
    source = _source(request, uuid, source_uuid)
    try:
        services.remove_source(actor=request.user, source=source)
    except Conflict as error:
        messages.error(request, error.message)
    else:
        messages.success(request, f"{source.url} is fetched no more. Its files stay.")
    return redirect("buckets:web", uuid)


def _source(request: Request, uuid: UUID, source_uuid: UUID) -> WebSource:
    return get_object_or_404(source_rows(editable(request, uuid)), uuid=source_uuid)

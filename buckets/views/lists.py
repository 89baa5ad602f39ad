"""The list of buckets, and the way to a new one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_safe

from buckets import services
from buckets.forms import BucketForm
from buckets.queries import Filters, listed
from buckets.views.doors import may_create
from integrations.forms import add_errors
from mindloom.web.errors import Invalid
from mindloom.web.http import render_page

if TYPE_CHECKING:
    from django.http import HttpResponse

    from accounts.middleware import Request

PAGE = 24
SHOWS = {"mine", "shared", "archived"}


@login_required
@require_safe
def bucket_list(request: Request) -> HttpResponse:
    filters = Filters(
        text=request.GET.get("q", "").replace("\x00", "").strip()[:100],
        show=request.GET.get("show", "") if request.GET.get("show") in SHOWS else "",
    )
    page = Paginator(listed(request.user, filters), PAGE).get_page(request.GET.get("page"))
    context = {"page": page, "filters": filters, "may_create": may_create(request)}
    return render_page(request, "buckets/list.html", context, partials={"buckets": "results"})


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def create(request: Request) -> HttpResponse:
    """The form; then the empty bucket, which asks for files."""
    if request.department is None or not may_create(request):
        raise PermissionDenied("You may not make buckets here. Ask a manager of your department.")
    form = BucketForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            made = services.create_bucket(actor=request.user, department_id=request.department.pk, **form.cleaned_data)
        except Invalid as error:
            add_errors(form, error.fields, error.message)
        else:
            messages.success(request, f"“{made.name}” is made. Add the first files.")
            return redirect("buckets:files", made.uuid)
    return render_page(request, "buckets/create.html", {"form": form}, status=422 if form.errors else 200)

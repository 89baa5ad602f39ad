"""The other tabs of a bucket: search tester, used by, settings; and its end."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import Role, User
from accounts.queries import colleagues_of, may
from buckets import services
from buckets.forms import BucketForm, DeleteForm, OwnerForm, SearchForm
from buckets.models import GenerationState
from buckets.queries import Found, find, generations_of, tags_of
from buckets.views.doors import editable, frame, uses, visible
from buckets.views.generations import asked
from integrations.forms import add_errors
from mindloom.web.errors import Conflict, Invalid
from mindloom.web.http import render_page

if TYPE_CHECKING:
    from uuid import UUID

    from django.http import HttpResponse

    from accounts.middleware import Request
    from buckets.models import Bucket

HITS = 10


@login_required
@require_safe
def search_page(request: Request, uuid: UUID) -> HttpResponse:
    """What an agent would find for a question."""
    bucket = visible(request, uuid)
    tags = tags_of(bucket)
    form = SearchForm(request.GET, tags)
    query = request.GET.get("q", "").replace("\x00", "").strip()[:1_000]
    is_asked = bool(query) and form.is_valid() and bucket.archived_at is None
    started = time.monotonic()
    found = find([bucket], query, HITS, only=form.only()) if is_asked else Found([])
    context = {
        **frame(request, bucket, "search"),
        "query": query,
        "hits": found.hits,
        "notes": found.notes,
        "questions": asked(bucket, check="check" in request.GET),
        "checked": "check" in request.GET,
        "form": form,
        "narrowed": [name for name in ("tag", "name", "since", "until") if any(request.GET.getlist(name))],
        "took_ms": round((time.monotonic() - started) * 1000),
    }
    return render_page(
        request, "buckets/search.html", context, partials={"hits": "hits"}, status=422 if form.errors else 200
    )


@login_required
@require_safe
def uses_page(request: Request, uuid: UUID) -> HttpResponse:
    """Which agents and teams read it."""
    bucket = visible(request, uuid)
    return render_page(request, "buckets/uses.html", {**frame(request, bucket, "uses"), "uses": uses(bucket)})


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def settings_page(request: Request, uuid: UUID) -> HttpResponse:
    """Everything that can be set; without the right to, what is set."""
    bucket = visible(request, uuid) if request.method != "POST" else editable(request, uuid)
    form = BucketForm(request.POST if request.method == "POST" else None, bucket)
    context = {**frame(request, bucket, "settings"), "generations": generations_of(bucket)}
    if request.method == "POST" and form.is_valid():
        try:
            services.update_bucket(actor=request.user, bucket=bucket, values=form.cleaned_data)
        except Invalid as error:
            add_errors(form, error.fields, error.message)
        except Conflict as error:
            form.add_error(None, error.message)
        else:
            is_built = bucket.generations.filter(state=GenerationState.BUILDING).exists()
            more = " The new passages are being made; until they are complete, those of before are searched."
            messages.success(request, f"“{form.cleaned_data['name']}” is saved.{more if is_built else ''}")
            return redirect("buckets:settings", bucket.uuid)
    context |= {"form": form, "owner_form": OwnerForm(None, _heirs(request, bucket)) if context["may_edit"] else None}
    status = 422 if form.errors else 200
    return render_page(
        request, "buckets/settings.html", context, partials={"generations": "generations"}, status=status
    )


@login_required
@require_POST
def transfer(request: Request, uuid: UUID) -> HttpResponse:
    bucket = editable(request, uuid)
    form = OwnerForm(request.POST, _heirs(request, bucket))
    if not form.is_valid():
        messages.error(request, "Choose one of the people who could look after it.")
        return redirect("buckets:settings", bucket.uuid)
    to = get_object_or_404(User, uuid=form.cleaned_data["owner"])
    services.transfer_bucket(actor=request.user, bucket=bucket, to=to)
    messages.success(request, f"“{bucket.name}” is looked after by {to.name or to} now.")
    return redirect("buckets:files", bucket.uuid)


@login_required
@require_POST
def archive(request: Request, uuid: UUID) -> HttpResponse:
    found = services.archive_bucket(actor=request.user, bucket=editable(request, uuid))
    messages.success(request, f"“{found.name}” is archived: nothing in it is found until it is restored.")
    return redirect("buckets:files", found.uuid)


@login_required
@require_POST
def restore(request: Request, uuid: UUID) -> HttpResponse:
    bucket = editable(request, uuid)
    try:
        services.restore_bucket(actor=request.user, bucket=bucket)
    except Conflict as error:
        messages.error(request, error.message)
    else:
        messages.success(request, f"“{bucket.name}” is back in use.")
    return redirect("buckets:files", bucket.uuid)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: Request, uuid: UUID) -> HttpResponse:
    """What is lost and what uses it, then the name, typed."""
    bucket = editable(request, uuid)
    form = DeleteForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            services.delete_bucket(actor=request.user, bucket=bucket, confirm=form.cleaned_data["confirm"])
        except Invalid as error:
            add_errors(form, error.fields, error.message)
        else:
            messages.success(request, f"“{bucket.name}” is deleted.")
            return redirect("buckets:list")
    context: dict[str, Any] = {**frame(request, bucket, "settings"), "form": form, "uses": uses(bucket, only_list=True)}
    return render_page(request, "buckets/delete.html", context, status=422 if form.errors else 200)


def _heirs(request: Request, bucket: Bucket) -> list[User]:
    return [one for one in colleagues_of(request.user) if may(one, Role.MEMBER, bucket.department_id)]

"""Pages of webhooks, for the managers of the department one works in."""

from __future__ import annotations

import json
from functools import wraps
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import Role
from accounts.queries import may
from integrations.forms import add_errors
from mindloom.web.errors import Conflict, Invalid
from mindloom.web.http import render_page
from webhooks import services
from webhooks.forms import WebhookForm
from webhooks.models import TOLD_STATES, Delivery, Webhook
from webhooks.queries import body, listed_webhooks

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from django.http import HttpResponse

    from accounts.middleware import Request

PAGE = 25
REFUSAL = "Only managers of the department look after its webhooks."


def managers_only(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Send strangers to the sign-in page, and refuse who does not manage the department they work in."""

    @wraps(view)
    def wrapped(request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.department is None or not may(request.user, Role.MANAGER, request.department.pk):
            if "uuid" in kwargs:
                _visible(request, kwargs["uuid"])  # what is not theirs to see is not there
            raise PermissionDenied(REFUSAL)
        return view(request, *args, **kwargs)

    return login_required(wrapped)


@managers_only
@require_safe
def webhook_list(request: Request) -> HttpResponse:
    context = {"webhooks": listed_webhooks(request.user), "all_states": len(TOLD_STATES)}
    return render_page(request, "webhooks/list.html", context)


@managers_only
@require_http_methods(["GET", "HEAD", "POST"])
def create(request: Request) -> HttpResponse:
    """The form; then, once, the secret."""
    form = WebhookForm(request.POST if request.method == "POST" else None, request.user)
    if request.method == "POST" and form.is_valid():
        assert request.department is not None
        try:
            made, secret = services.create_webhook(
                actor=request.user, department_id=request.department.pk, **form.values()
            )
        except Invalid as error:
            add_errors(form, error.fields, error.message)
        else:
            return _secret_shown(request, made, secret, "is made")
    return render_page(request, "webhooks/new.html", {"form": form}, status=422 if form.errors else 200)


@managers_only
@require_http_methods(["GET", "HEAD", "POST"])
def webhook(request: Request, uuid: UUID) -> HttpResponse:
    """How it stands, what was sent, and its settings."""
    found = _visible(request, uuid)
    name = found.name
    form = WebhookForm(request.POST if request.method == "POST" else None, request.user, found)
    if request.method == "POST" and form.is_valid():
        try:
            services.update_webhook(actor=request.user, webhook=found, values=form.values())
        except Invalid as error:
            add_errors(form, error.fields, error.message)
        else:
            messages.success(request, f"“{form.cleaned_data['name']}” is saved.")
            return redirect("webhooks:webhook", found.uuid)
    sent = Delivery.objects.editable_by(request.user).filter(webhook=found).defer("payload").order_by("-id")
    context = {
        "webhook": found,
        "title": name,
        "form": form,
        "page": Paginator(sent, PAGE).get_page(request.GET.get("page")),
    }
    status = 422 if form.errors else 200
    return render_page(request, "webhooks/webhook.html", context, partials={"deliveries": "sent"}, status=status)


@managers_only
@require_POST
def test(request: Request, uuid: UUID) -> HttpResponse:
    delivery = services.test_webhook(actor=request.user, webhook=_visible(request, uuid))
    return _told(request, delivery)


@managers_only
@require_POST
def enable(request: Request, uuid: UUID) -> HttpResponse:
    enabled = request.POST.get("enabled") == "1"
    found = services.enable_webhook(actor=request.user, webhook=_visible(request, uuid), enabled=enabled)
    messages.success(request, f"“{found.name}” is switched {'on' if enabled else 'off'}.")
    return redirect("webhooks:webhook", found.uuid)


@managers_only
@require_POST
def rotate(request: Request, uuid: UUID) -> HttpResponse:
    found = _visible(request, uuid)
    secret = services.rotate_secret(actor=request.user, webhook=found)
    found.refresh_from_db()
    return _secret_shown(request, found, secret, "has a new secret")


@managers_only
@require_POST
def delete(request: Request, uuid: UUID) -> HttpResponse:
    found = _visible(request, uuid)
    services.delete_webhook(actor=request.user, webhook=found)
    messages.success(request, f"“{found.name}” is deleted.")
    return redirect("webhooks:list")


@managers_only
@require_safe
def delivery(request: Request, uuid: UUID, delivery_uuid: UUID) -> HttpResponse:
    """One message: what it says, and every try to deliver it."""
    found = _delivery(request, uuid, delivery_uuid)
    message = json.dumps(json.loads(body(found)), indent=2, ensure_ascii=False)
    context = {"delivery": found, "attempts": found.attempts.order_by("-number")[:100], "message": message}
    return render_page(request, "webhooks/delivery.html", context)


@managers_only
@require_POST
def redeliver(request: Request, uuid: UUID, delivery_uuid: UUID) -> HttpResponse:
    found = _delivery(request, uuid, delivery_uuid)
    try:
        sent = services.redeliver(actor=request.user, delivery=found)
    except Conflict as error:
        messages.error(request, error.message)
        return redirect(_address(found))
    return _told(request, sent)


def _told(request: Request, sent: Delivery) -> HttpResponse:
    """How a delivery went that somebody asked for, on its page."""
    if sent.state == Delivery.State.DELIVERED:
        messages.success(request, f"The receiver accepted the message (HTTP {sent.response_status}).")
    else:
        messages.error(request, sent.error or "The message is being sent. Look again in a moment.")
    return redirect(_address(sent))


def _address(of: Delivery) -> str:
    return reverse("webhooks:delivery", args=[of.webhook.uuid, of.uuid])


def _secret_shown(request: Request, found: Webhook, secret: str, what: str) -> HttpResponse:
    response = render_page(request, "webhooks/secret.html", {"webhook": found, "secret": secret, "what": what})
    response["Cache-Control"] = "no-store"
    return response


def _visible(request: Request, uuid: UUID) -> Webhook:
    return get_object_or_404(Webhook.objects.visible_to(request.user).select_related("department"), uuid=uuid)


def _delivery(request: Request, uuid: UUID, delivery_uuid: UUID) -> Delivery:
    found = Delivery.objects.editable_by(request.user).select_related("webhook")
    return get_object_or_404(found, uuid=delivery_uuid, webhook__uuid=uuid)

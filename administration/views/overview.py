"""How the installation is doing, what it is made of, and whether its mail arrives."""

from __future__ import annotations

import platform
from typing import TYPE_CHECKING

from django import get_version
from django.conf import settings
from django.views.decorators.http import require_http_methods, require_safe

from accounts.models import Department, User
from administration import services
from administration.queries import health
from administration.queries.everything import failures, packages, priced_models, standing, version
from administration.views.shared import administrators
from integrations.models import ModelProvider
from mindloom.web.errors import Invalid, Unavailable
from mindloom.web.http import render_page

if TYPE_CHECKING:
    from django.http import HttpResponse

    from accounts.middleware import Request


@administrators
@require_safe
def overview(request: Request) -> HttpResponse:
    """Health, runs now, failures by reason. It loads itself again."""
    context = {
        "checks": health.look(),
        "standing": standing(),
        "failures": failures(),
        "providers": ModelProvider.objects.order_by("name").prefetch_related("models"),
        "people": User.objects.filter(is_active=True).count(),
        "departments": Department.objects.working().count(),
    }
    return render_page(request, "administration/overview.html", context, partials={"overview": "now"})


@administrators
@require_safe
def prices(request: Request) -> HttpResponse:
    """What each model costs now, and from when on; each is changed on its own page."""
    context = {"models": priced_models(), "currency": settings.CURRENCY}
    return render_page(request, "administration/prices.html", context)


@administrators
@require_safe
def about(request: Request) -> HttpResponse:
    """Versions, and the licences of all packages as their metadata says them."""
    versions = [
        ("Mindloom", version()),
        ("Python", platform.python_version()),
        ("Django", get_version()),
        *[(one.name, one.said) for one in health.look() if one.name in ("Database", "Redis")],
    ]
    return render_page(request, "administration/about.html", {"versions": versions, "packages": packages()})


@administrators
@require_http_methods(["GET", "HEAD", "POST"])
def mail(request: Request) -> HttpResponse:
    """Send a mail to oneself, or to somebody else, and say what the mail server said."""
    address, status, problem, sent = request.POST.get("address", request.user.email).strip(), 200, "", False
    if request.method == "POST":
        try:
            services.send_test_mail(actor=request.user, address=address)
            sent = True
        except (Invalid, Unavailable) as error:
            status, problem = 422, error.message
    context = {
        "address": address[:254],
        "problem": problem,
        "sent": sent,
        "host": f"{settings.EMAIL_HOST}:{settings.EMAIL_PORT}" if settings.EMAIL_HOST else "",
        "sender": settings.DEFAULT_FROM_EMAIL,
    }
    return render_page(request, "administration/mail.html", context, status=status)

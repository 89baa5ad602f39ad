"""What of Mindloom is on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from administration.views.shared import administrators
from features.models import Switch
from features.queries import FEATURES
from features.services import switch_feature
from mindloom.web.http import render_page

if TYPE_CHECKING:
    from django.http import HttpResponse

    from accounts.middleware import Request


@administrators
@require_http_methods(["GET", "HEAD", "POST"])
def features(request: Request) -> HttpResponse:
    """Every switch, how it stands, and who changed it last; a button each."""
    if request.method == "POST":
        name, on = request.POST.get("name", ""), request.POST.get("on") == "1"
        if switch_feature(actor=request.user, name=name, on=on):
            messages.success(request, f"{FEATURES[name].label}: switched {'on' if on else 'off'}.")
        return redirect("administration:features")
    rows = {one.name: one for one in Switch.objects.all()}
    return render_page(
        request, "administration/features.html", {"features": [(one, rows.get(one.name)) for one in FEATURES.values()]}
    )

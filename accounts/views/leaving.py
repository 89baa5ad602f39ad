"""Taking one's data away, and deleting the account."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.http import FileResponse
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts import services
from accounts.forms import LeaveForm, ProveForm
from accounts.views.entering import proven
from accounts.views.factors import unproven
from accounts.views.guards import GET_OR_POST
from mindloom.web.errors import Conflict, Invalid
from mindloom.web.http import render_page

if TYPE_CHECKING:
    from django.http import HttpResponse
    from django.http.response import HttpResponseBase

    from accounts.middleware import Request


@sensitive_post_parameters("password")
@never_cache
@login_required
@require_http_methods(GET_OR_POST)
def data(request: Request) -> HttpResponseBase:
    form = ProveForm(request.POST if request.method == "POST" else None, person=request.user)
    if request.method == "POST" and form.is_valid():
        if proven(request, form.cleaned_data.get("password")):
            return FileResponse(services.gathered(actor=request.user), as_attachment=True, filename="mindloom-data.zip")
        form.add_error(*unproven(form))
    status = 422 if request.method == "POST" else 200
    return render_page(request, "accounts/data.html", {"form": form}, status=status)


@sensitive_post_parameters("password")
@never_cache
@login_required
@require_http_methods(GET_OR_POST)
def account_delete(request: Request) -> HttpResponse:
    form = LeaveForm(request.POST if request.method == "POST" else None, person=request.user)
    if request.method == "POST" and form.is_valid():
        if not proven(request, form.cleaned_data.get("password")):
            form.add_error(*unproven(form))
        else:
            try:
                services.delete_account(actor=request.user, heirs=form.heirs)
            except (Conflict, Invalid) as error:
                form.refuse(error)
            else:
                logout(request)
                messages.success(request, "Your account is deleted. Farewell.")
                return redirect("accounts:sign_in")
    status = 422 if request.method == "POST" else 200
    return render_page(request, "accounts/account_delete.html", {"form": form}, status=status)

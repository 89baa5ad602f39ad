"""One's picture and address."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import services
from accounts.forms import AddressForm
from accounts.queries import picture_of
from accounts.services.addresses import read_address_change
from accounts.views.entering import proven
from accounts.views.factors import unproven
from accounts.views.guards import GET_OR_POST
from mindloom.web.errors import Conflict, Invalid
from mindloom.web.http import render_page

if TYPE_CHECKING:
    from uuid import UUID

    from accounts.middleware import Request


@login_required
@require_safe
def picture(request: Request, uuid: UUID) -> HttpResponse:
    found = picture_of(request.user, uuid)
    if found is None:
        raise Http404
    # The address changes with the picture.
    headers = {"Cache-Control": "private, max-age=86400", "Content-Security-Policy": "default-src 'none'"}
    return HttpResponse(bytes(found.data), content_type="image/webp", headers=headers)


@login_required
@require_POST
def picture_set(request: Request) -> HttpResponse:
    file = request.FILES.get("picture")
    try:
        if "remove" in request.POST:
            services.remove_picture(actor=request.user)
        elif file is None:
            raise Invalid(fields={"picture": ["Choose a file first."]})  # noqa: TRY301 -- said like the rest
        else:
            services.set_picture(actor=request.user, file=file, size=file.size or 0)
    except Invalid as error:
        messages.error(request, " ".join(error.fields.get("picture", [error.message])))
    else:
        messages.success(request, "Your picture is changed." if file else "Your picture is removed.")
    return redirect("accounts:profile")


@sensitive_post_parameters("password")
@never_cache
@login_required
@require_http_methods(GET_OR_POST)
def address_change(request: Request) -> HttpResponse:
    form = AddressForm(request.POST if request.method == "POST" else None, person=request.user)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        if not proven(request, given.get("password")):
            form.add_error(*unproven(form))
        else:
            try:
                services.request_address(actor=request.user, email=given["email"])
            except Invalid as error:
                form.refuse(error)
            else:
                messages.success(request, f"Look at the mail to {given['email']}: its link changes your address.")
                return redirect("accounts:profile")
    status = 422 if request.method == "POST" else 200
    return render_page(request, "accounts/address_change.html", {"form": form}, status=status)


@never_cache
@login_required
@require_http_methods(GET_OR_POST)
def address_confirm(request: Request, token: str) -> HttpResponse:
    found = read_address_change(token)
    if found is None or found[0] != request.user:
        return render_page(request, "accounts/link_dead.html", {"what": "address"}, status=410)
    if request.method == "POST":
        try:
            services.change_address(actor=request.user, token=token)
        except (Invalid, Conflict) as error:
            messages.error(request, error.message)
        else:
            messages.success(request, f"Your address is {found[1]} now. Sign in with it from now on.")
        return redirect("accounts:profile")
    return render_page(request, "accounts/address_confirm.html", {"address": found[1]})

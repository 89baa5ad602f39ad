"""How one signs in: the second factor, set up and taken away."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import segno
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from accounts import services
from accounts.forms import AppForm, PasskeyForm, ProveForm, SignInRulesForm
from accounts.forms.factors import NOBODY
from accounts.models import AuthenticatorApp, Role
from accounts.queries import lacks_second_factor, may, must_have_second_factor
from accounts.services.factors import secret_address, secret_text
from accounts.views.entering import PASSKEY, proven, site_of
from accounts.views.guards import GET_OR_POST
from mindloom.web.errors import Conflict, Invalid, NotAllowed
from mindloom.web.http import render_page

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from django.http import HttpResponse

    from accounts.middleware import Request

WRONG = "This is not your password."
LONG_AGO = "You signed in a while ago. Sign out and in again, then do this within ten minutes."


def _app(request: Request, *, confirmed: bool) -> AuthenticatorApp | None:
    return AuthenticatorApp.objects.filter(user=request.user, confirmed_at__isnull=not confirmed).first()


@never_cache
@login_required
@require_safe
def security(request: Request) -> HttpResponse:
    context = {
        "app": _app(request, confirmed=True),
        "passkeys": request.user.passkeys.order_by("id"),
        "codes_left": request.user.recovery_codes.filter(used_at=None).count(),
        "must": must_have_second_factor(request.user),
        "lacks": lacks_second_factor(request.user),
        "site": site_of(request),
    }
    return render_page(request, "accounts/security.html", context)


def unproven(form: ProveForm) -> tuple[str | None, str]:
    """The field and sentence for somebody who did not show that it is them."""
    return ("password", WRONG) if "password" in form.fields else (None, LONG_AGO)


def _prove(request: Request, title: str, action: str, then: Callable[[], HttpResponse], **more: Any) -> HttpResponse:
    """Ask for the password once more, then do it."""
    form = ProveForm(request.POST if request.method == "POST" else None, person=request.user)
    if request.method == "POST" and form.is_valid():
        if proven(request, form.cleaned_data.get("password")):
            return then()
        form.add_error(*unproven(form))
    context = {"form": form, "title": title, "action": action} | more
    return render_page(request, "accounts/prove.html", context, status=422 if request.method == "POST" else 200)


def _codes(request: Request, codes: list[str], done: str) -> HttpResponse:
    """Show new recovery codes, once; go back to the overview when there are none."""
    if not codes:
        messages.success(request, done)
        return redirect("accounts:security")
    return render_page(request, "accounts/recovery_codes.html", {"codes": codes, "done": done})


@sensitive_post_parameters("password")
@never_cache
@login_required
@require_http_methods(GET_OR_POST)
def app_start(request: Request) -> HttpResponse:
    def start() -> HttpResponse:
        services.start_app(actor=request.user)
        return redirect("accounts:app_confirm")

    note = "An app on your phone then shows a code that you type in after your password."
    return _prove(request, "Set up an authenticator app", "Go on", start, note=note)


@sensitive_post_parameters("code")
@never_cache
@login_required
@require_http_methods(GET_OR_POST)
def app_confirm(request: Request) -> HttpResponse:
    app = _app(request, confirmed=False)
    if app is None:
        return redirect("accounts:security")
    form = AppForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            codes = services.confirm_app(actor=request.user, code=form.cleaned_data["code"])
        except Invalid as error:
            form.refuse(error)
        else:
            return _codes(request, codes, "Your authenticator app is set up. From now on you are asked for its code.")
    picture = segno.make(secret_address(app, "Mindloom"), error="m").svg_data_uri(scale=5, border=3, light="#fff")
    context = {"form": form, "picture": picture, "secret": secret_text(app)}
    return render_page(request, "accounts/app_confirm.html", context, status=422 if request.method == "POST" else 200)


@sensitive_post_parameters("password")
@never_cache
@login_required
@require_http_methods(GET_OR_POST)
def app_remove(request: Request) -> HttpResponse:
    def remove() -> HttpResponse:
        services.remove_app(actor=request.user)
        messages.success(request, "Your authenticator app is removed. Delete its entry there too.")
        return redirect("accounts:security")

    note = "Its codes open nothing any more."
    return _prove(request, "Remove the authenticator app", "Remove", remove, note=note, danger=True)


@sensitive_post_parameters("password")
@never_cache
@login_required
@require_http_methods(GET_OR_POST)
def recovery_codes(request: Request) -> HttpResponse:
    def make() -> HttpResponse:
        try:
            return _codes(
                request, services.make_recovery_codes(actor=request.user), "Here are your new recovery codes."
            )
        except Conflict as error:
            messages.error(request, error.message)
            return redirect("accounts:security")

    return _prove(
        request, "New recovery codes", "Make new codes", make, note="The codes that you have now stop working."
    )


@sensitive_post_parameters("password")
@never_cache
@login_required
@require_http_methods(GET_OR_POST)
def passkey_add(request: Request) -> HttpResponse:
    form = PasskeyForm(request.POST if request.method == "POST" else None, person=request.user)
    state = request.session.pop(PASSKEY, None)
    if request.method == "POST" and form.is_valid():
        try:
            codes = _add_passkey(request, form, state)
        except (Invalid, Conflict) as error:
            form.refuse(error)
        else:
            return _codes(request, codes, "Your passkey is set up. The sign-in page takes it instead of a password.")
    try:
        options, request.session[PASSKEY] = services.begin_passkey(actor=request.user, site=site_of(request))
    except Conflict as error:
        messages.error(request, error.message)
        return redirect("accounts:security")
    context = {"form": form, "options": json.dumps(options)}
    return render_page(request, "accounts/passkey_add.html", context, status=422 if request.method == "POST" else 200)


def _add_passkey(request: Request, form: PasskeyForm, state: Any) -> list[str]:
    given = form.cleaned_data
    if not proven(request, given.get("password")):
        field, sentence = unproven(form)
        raise Invalid(sentence, fields={field: [sentence]} if field else None)
    site = site_of(request)
    return services.add_passkey(actor=request.user, site=site, state=state, answer=given["answer"], name=given["name"])


@sensitive_post_parameters("password")
@never_cache
@login_required
@require_http_methods(GET_OR_POST)
def passkey_remove(request: Request, uuid: UUID) -> HttpResponse:
    found = request.user.passkeys.filter(uuid=uuid).first()
    if found is None:
        messages.error(request, "There is no such passkey any more.")
        return redirect("accounts:security")

    def remove() -> HttpResponse:
        services.remove_passkey(actor=request.user, uuid=uuid)
        messages.success(request, f"The passkey “{found.name}” is removed. Delete it on the device too.")
        return redirect("accounts:security")

    note = "It opens this account no more."
    return _prove(request, f"Remove the passkey “{found.name}”", "Remove", remove, note=note, danger=True)


@login_required
@require_http_methods(GET_OR_POST)
def sign_in_rules(request: Request) -> HttpResponse:
    department = request.department
    if department is None or not may(request.user, Role.MANAGER, department.pk):
        raise NotAllowed("Only managers of the department may do this.")
    form = SignInRulesForm(
        request.POST or None, initial={"second_factor_from": department.second_factor_from or NOBODY}
    )
    if request.method == "POST" and form.is_valid():
        role = form.cleaned_data["second_factor_from"]
        services.require_second_factor(actor=request.user, department=department, role=role)
        messages.success(
            request, "Saved. Whoever must have a second factor, and has none, is asked with the next click."
        )
        return redirect("accounts:sign_in_rules")
    context = {"form": form, "department": department}
    return render_page(request, "accounts/sign_in_rules.html", context, status=422 if request.method == "POST" else 200)

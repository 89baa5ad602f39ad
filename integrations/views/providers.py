"""Pages of providers and models, for administrators."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from integrations import services
from integrations.forms import KINDS, ModelForm, PriceForm, ProviderForm, add_errors
from integrations.models import Model, ModelProvider, ProviderKind
from integrations.queries import providers
from integrations.views.doors import administrators_only
from mindloom.web.errors import Invalid, MindloomError
from mindloom.web.http import render_page

if TYPE_CHECKING:
    from uuid import UUID

    from accounts.middleware import Request


@administrators_only
@require_safe
def provider_list(request: Request) -> HttpResponse:
    found = [{"provider": one, "icon": KINDS[ProviderKind(one.kind)][0]} for one in providers()]
    has_default = Model.objects.usable().filter(is_default=True).exists()
    return render_page(request, "integrations/list.html", {"providers": found, "has_default": has_default})


@administrators_only
@require_http_methods(["GET", "HEAD", "POST"])
def create(request: Request) -> HttpResponse:
    """First the kind, as a link, then the fields of that kind."""
    chosen = request.POST.get("kind") or request.GET.get("kind", "")
    kind = ProviderKind(chosen) if chosen in ProviderKind.values else None
    kinds = [{"kind": one, "icon": icon, "text": text} for one, (icon, text) in KINDS.items()]
    if kind is None:
        return render_page(request, "integrations/create.html", {"kinds": kinds})
    form = ProviderForm(request.POST if request.method == "POST" else None, kind)
    if request.method == "POST" and form.is_valid():
        try:
            made = services.create_provider(actor=request.user, kind=kind.value, **form.cleaned_data)
        except Invalid as error:
            add_errors(form, error.fields, error.message)
        else:
            messages.success(request, f"“{made.name}” is set up. Test it, then add the models that people may use.")
            return redirect("integrations:provider", made.uuid)
    context = {"kinds": kinds, "kind": kind, "form": form}
    return render_page(request, "integrations/create.html", context, status=422 if form.errors else 200)


@administrators_only
@require_http_methods(["GET", "HEAD", "POST"])
def provider(request: Request, uuid: UUID) -> HttpResponse:
    found = get_object_or_404(ModelProvider, uuid=uuid)
    name = found.name
    form = ProviderForm(request.POST if request.method == "POST" else None, ProviderKind(found.kind), found)
    if request.method == "POST" and form.is_valid():
        try:
            services.update_provider(actor=request.user, provider=found, **form.cleaned_data)
        except Invalid as error:
            add_errors(form, error.fields, error.message)
        else:
            messages.success(request, f"“{found.name}” is saved.")
            return redirect("integrations:provider", found.uuid)
    return _provider_page(request, found, form, title=name, status=422 if form.errors else 200)


def _provider_page(
    request: Request,
    found: ModelProvider,
    form: ProviderForm | None = None,
    model_form: ModelForm | None = None,
    title: str = "",
    status: int = 200,
) -> HttpResponse:
    context = {
        "provider": found,
        "title": title or found.name,
        "icon": KINDS[ProviderKind(found.kind)][0],
        "form": form or ProviderForm(None, ProviderKind(found.kind), found),
        "model_form": model_form or ModelForm(),
        "models": found.models.order_by("-is_default", "-is_enabled", "label"),
    }
    return render_page(request, "integrations/provider.html", context, status=status)


@administrators_only
@require_POST
def test(request: Request, uuid: UUID) -> HttpResponse:
    found = get_object_or_404(ModelProvider, uuid=uuid)
    result = services.test_provider(actor=request.user, provider=found)
    if request.htmx:
        return render_page(request, "integrations/test_result.html", {"result": result})
    (messages.success if result.ok else messages.error)(request, result.message)
    return redirect("integrations:provider", found.uuid)


@administrators_only
@require_POST
def sync(request: Request, uuid: UUID) -> HttpResponse:
    found = get_object_or_404(ModelProvider, uuid=uuid)
    try:
        new = services.sync_models(actor=request.user, provider=found)
    except MindloomError as error:
        messages.error(request, error.message)
    else:
        messages.success(
            request,
            f"{len(new)} new models. Switch on those that people may use." if new else "There are no new models.",
        )
    return redirect("integrations:provider", found.uuid)


@administrators_only
@require_POST
def enable(request: Request, uuid: UUID) -> HttpResponse:
    found = get_object_or_404(ModelProvider, uuid=uuid)
    enabled = request.POST.get("enabled") == "1"
    said = f"“{found.name}” is switched {'on' if enabled else 'off'}."
    return _do(request, found, said, services.enable_provider, provider=found, enabled=enabled)


@administrators_only
@require_POST
def remove_key(request: Request, uuid: UUID) -> HttpResponse:
    found = get_object_or_404(ModelProvider, uuid=uuid)
    return _do(request, found, "The key is removed.", services.set_key, provider=found, key="")


@administrators_only
@require_POST
def delete(request: Request, uuid: UUID) -> HttpResponse:
    found = get_object_or_404(ModelProvider, uuid=uuid)
    try:
        services.delete_provider(actor=request.user, provider=found)
    except MindloomError as error:
        messages.error(request, error.message)
        return redirect("integrations:provider", uuid)
    messages.success(request, f"“{found.name}” is deleted.")
    return redirect("integrations:list")


@administrators_only
@require_POST
def add_model(request: Request, uuid: UUID) -> HttpResponse:
    found = get_object_or_404(ModelProvider, uuid=uuid)
    form = ModelForm(request.POST)
    if form.is_valid():
        try:
            made = services.add_model(actor=request.user, provider=found, **form.cleaned_data)
        except Invalid as error:
            add_errors(form, error.fields, error.message)
        else:
            messages.success(request, f"“{made.label}” can be chosen now.")
            return redirect("integrations:provider", found.uuid)
    return _provider_page(request, found, model_form=form, status=422)


@administrators_only
@require_http_methods(["GET", "HEAD", "POST"])
def model(request: Request, uuid: UUID) -> HttpResponse:
    found = _model(uuid)
    initial = {name: getattr(found, name) for name in ModelForm.base_fields}
    form = ModelForm(request.POST if request.method == "POST" else None, initial=initial)
    label = found.label
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data | {"label": form.cleaned_data["label"] or form.cleaned_data["model_id"][:80]}
        try:
            services.update_model(actor=request.user, model=found, **values)
        except Invalid as error:
            add_errors(form, error.fields, error.message)
        else:
            messages.success(request, f"“{found.label}” is saved.")
            return redirect("integrations:provider", found.provider.uuid)
    return _model_page(request, found, form, title=label)


def _model_page(
    request: Request, found: Model, form: ModelForm, price_form: PriceForm | None = None, *, title: str
) -> HttpResponse:
    now = timezone.now()
    prices = list(found.prices.select_related("set_by").order_by("-valid_from"))
    price_form = price_form or PriceForm(initial={"valid_from": timezone.localdate()})
    context = {
        "model": found,
        "title": title,
        "form": form,
        "is_free": found.provider.kind == ProviderKind.OFFLINE,
        "prices": [(one, one.valid_from > now) for one in prices],
        "holds": next((one for one in prices if one.valid_from <= now), None),
        "price_form": price_form,
        "currency": settings.CURRENCY,
    }
    status = 422 if form.errors or price_form.errors else 200
    return render_page(request, "integrations/model.html", context, status=status)


@administrators_only
@require_POST
def add_price(request: Request, uuid: UUID) -> HttpResponse:
    """A day means its first moment in the installation's time zone; today means now, so that nothing is counted anew."""
    found = _model(uuid)
    form = PriceForm(request.POST)
    if form.is_valid():
        values = dict(form.cleaned_data)
        day = values.pop("valid_from")
        begins = timezone.make_aware(datetime.combine(day, datetime.min.time()))
        values["valid_from"] = max(begins, timezone.now()) if day == timezone.localdate() else begins
        try:
            services.add_price(actor=request.user, model=found, **values)
        except MindloomError as error:
            add_errors(form, getattr(error, "fields", {}), error.message)
        else:
            messages.success(request, f"The price of “{found.label}” is set.")
            return redirect("integrations:model", found.uuid)
    initial = {name: getattr(found, name) for name in ModelForm.base_fields}
    return _model_page(request, found, ModelForm(initial=initial), form, title=found.label)


@administrators_only
@require_POST
def remove_price(request: Request, uuid: UUID, price_uuid: UUID) -> HttpResponse:
    found = _model(uuid)
    try:
        services.remove_price(actor=request.user, price=get_object_or_404(found.prices, uuid=price_uuid))
    except MindloomError as error:
        messages.warning(request, error.message)
    else:
        messages.success(request, "The price is taken back.")
    return redirect("integrations:model", found.uuid)


@administrators_only
@require_POST
def enable_model(request: Request, uuid: UUID) -> HttpResponse:
    found = _model(uuid)
    enabled = request.POST.get("enabled") == "1"
    said = f"“{found.label}” is switched {'on' if enabled else 'off'}."
    return _do(request, found.provider, said, services.update_model, model=found, is_enabled=enabled)


@administrators_only
@require_POST
def make_default(request: Request, uuid: UUID) -> HttpResponse:
    found = _model(uuid)
    said = f"“{found.label}” is the model of all agents that choose none."
    return _do(request, found.provider, said, services.set_default_model, model=found)


@administrators_only
@require_POST
def delete_model(request: Request, uuid: UUID) -> HttpResponse:
    found = _model(uuid)
    return _do(request, found.provider, f"“{found.label}” is removed.", services.delete_model, model=found)


def _model(uuid: UUID) -> Model:
    return get_object_or_404(Model.objects.select_related("provider"), uuid=uuid)


def _do(request: Request, provider: ModelProvider, said: str, verb: Any, /, **values: Any) -> HttpResponse:
    """Do it, say how it went, and go back to the provider."""
    try:
        verb(actor=request.user, **values)
    except MindloomError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, said)
    return redirect("integrations:provider", provider.uuid)

"""Changes of model providers and models. Administrators only."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from django.db import transaction
from django.utils import timezone

from audit.services import difference, record
from integrations import providers
from integrations.models import Model, ModelPrice, ModelProvider, ProviderKind, Purpose
from integrations.services.checking import header_problem, row_errors, save_row
from integrations.services.secrets import opened, seal_key
from mindloom.web.errors import Conflict, Invalid, NotAllowed, Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from decimal import Decimal

    from accounts.models import User


@dataclass(frozen=True)
class TestResult:
    """What a provider said when it was asked for its models."""

    ok: bool
    message: str
    duration_ms: int
    models: tuple[str, ...] = ()


def create_provider(
    *, actor: User, kind: str, name: str, base_url: str = "", api_version: str = "", headers: Any = None, key: str = ""
) -> ModelProvider:
    """Add a provider. Raises `Invalid` with the fields at fault, among them a name that is taken."""
    _administrator(actor)
    provider = ModelProvider(kind=kind, name=name, base_url=base_url, api_version=api_version, headers=headers or {})
    _check_provider(provider)
    with transaction.atomic():
        save_row(provider)
        record(actor=actor, action="provider.created", target=provider, kind=provider.kind)
        if key:
            seal_key(provider, key)
            record(actor=actor, action="provider.key_set", target=provider)
    return provider


def update_provider(*, actor: User, provider: ModelProvider, key: str = "", **changes: Any) -> ModelProvider:
    """Change name, base_url, api_version or headers, and the key when one is given.

    A key was given for one host: when the host changes, it has to be entered again.
    """
    _administrator(actor)
    before = provider.base_url
    unknown = changes.keys() - {"name", "base_url", "api_version", "headers"}
    if unknown:
        raise Invalid(
            f"These cannot be changed: {', '.join(sorted(unknown))}.",
            fields={name: ["This cannot be changed."] for name in unknown},
        )
    changed = [name for name, value in changes.items() if getattr(provider, name) != value]
    # Headers may hold keys: only that they changed is kept.
    shown = [name for name in changed if name != "headers"]
    noted = difference({name: getattr(provider, name) for name in shown}, {name: changes[name] for name in shown})
    for name in changed:
        setattr(provider, name, changes[name])
    _check_provider(provider)
    if provider.key_sealed and not key and urlsplit(before).netloc != urlsplit(provider.base_url).netloc:
        raise Invalid(
            fields={"key": ["The address changed. Enter the key again, so that it is not sent to a wrong place."]}
        )
    with transaction.atomic():
        save_row(provider)
        if changed:
            record(actor=actor, action="provider.changed", target=provider, fields=changed, **noted)
        if key:
            seal_key(provider, key)
            record(actor=actor, action="provider.key_set", target=provider)
    return provider


def delete_provider(*, actor: User, provider: ModelProvider) -> None:
    """Remove a provider with its models and key. Raises `Conflict` while it has the default model."""
    _administrator(actor)
    _refuse_default(provider.models.all(), f"“{provider.name}” has the default model.")
    with transaction.atomic():
        record(actor=actor, action="provider.deleted", target=provider, kind=provider.kind)
        provider.delete()


def enable_provider(*, actor: User, provider: ModelProvider, enabled: bool) -> ModelProvider:
    """Switch a provider on or off. Raises `Conflict` while it has the default model."""
    _administrator(actor)
    if not enabled:
        _refuse_default(provider.models.all(), f"“{provider.name}” has the default model.")
    with transaction.atomic():
        provider.is_enabled = enabled
        provider.save(update_fields=["is_enabled", "updated_at"])
        record(actor=actor, action="provider.enabled" if enabled else "provider.disabled", target=provider)
    return provider


def set_key(*, actor: User, provider: ModelProvider, key: str) -> ModelProvider:
    """Keep a key, sealed; "" removes it. It is never read back, only its last four characters are shown."""
    _administrator(actor)
    with transaction.atomic():
        seal_key(provider, key)
        record(actor=actor, action="provider.key_set" if key else "provider.key_removed", target=provider)
    return provider


def test_provider(*, actor: User, provider: ModelProvider) -> TestResult:
    """Ask the provider for its models, within seconds. Never raises for what the provider does."""
    _administrator(actor)
    started = time.monotonic()
    try:
        offers = providers.list_models(provider, opened(provider))
        ok, message = (
            True,
            f"{provider.name} works and lists {len(offers)} {'model' if len(offers) == 1 else 'models'}.",
        )
    except (providers.ProviderError, Unavailable) as error:
        offers, ok, message = [], False, str(error)
    result = TestResult(
        ok, message, round((time.monotonic() - started) * 1000), tuple(offer.model_id for offer in offers[:20])
    )
    record(actor=actor, action="provider.tested", target=provider, ok=ok)
    return result


def sync_models(*, actor: User, provider: ModelProvider) -> list[Model]:
    """Add the models that the provider lists and we lack, switched off; returns the new ones. Raises `Unavailable`."""
    _administrator(actor)
    try:
        offers = providers.list_models(provider, opened(provider))
    except providers.ProviderError as error:
        raise Unavailable(str(error)) from None
    known = set(provider.models.values_list("model_id", flat=True))
    new = [
        Model(
            provider=provider,
            model_id=offer.model_id,
            label=offer.label,
            is_enabled=False,
            purpose=Purpose.EMBEDDING if "embed" in offer.model_id.lower() else Purpose.CHAT,
        )
        for offer in offers
        if offer.model_id not in known
    ]
    with transaction.atomic():
        Model.objects.bulk_create(new, ignore_conflicts=True)
        record(actor=actor, action="provider.models_listed", target=provider, added=len(new))
    return new


def add_model(*, actor: User, provider: ModelProvider, model_id: str, label: str = "", **fields: Any) -> Model:
    """Add a model, switched on. `fields`: description, context_window, supports_tools, purpose. Raises `Invalid`."""
    _administrator(actor)
    model = Model(provider=provider, model_id=model_id.strip(), label=label.strip() or model_id.strip()[:80], **fields)
    _check(model)
    with transaction.atomic():
        save_row(model)
        record(actor=actor, action="model.created", target=model, provider=provider.name)
    return model


def update_model(*, actor: User, model: Model, **changes: Any) -> Model:
    """Change model_id, label, description, context_window, supports_tools, purpose or is_enabled.

    What an embedding model is called at its provider stays: buckets are made of its vectors. Raises `Conflict` and `Invalid`.
    """
    _administrator(actor)
    if changes.get("purpose", model.purpose) != Purpose.CHAT:
        _refuse_default([model], f"“{model.label}” is the default model of agents.")
    if model.purpose == Purpose.EMBEDDING and any(
        changes.get(name, getattr(model, name)) != getattr(model, name) for name in ("model_id", "purpose")
    ):
        sentence = "Buckets are made of its vectors, so this stays. Add the other one as a model of its own."
        raise Invalid(fields={"model_id": [sentence]})
    if changes.get("is_enabled") is False:
        _refuse_default([model], f"“{model.label}” is the default model.")
    changed = [name for name, value in changes.items() if getattr(model, name) != value]
    noted = difference({name: getattr(model, name) for name in changed}, {name: changes[name] for name in changed})
    for name in changed:
        setattr(model, name, changes[name])
    _check(model)
    with transaction.atomic():
        save_row(model)
        if changed:
            record(actor=actor, action="model.changed", target=model, **noted)
    return model


def delete_model(*, actor: User, model: Model) -> None:
    """Remove a model. Raises `Conflict` for the default one."""
    _administrator(actor)
    _refuse_default([model], f"“{model.label}” is the default model.")
    with transaction.atomic():
        record(actor=actor, action="model.deleted", target=model, provider=model.provider.name)
        model.delete()


def set_default_model(*, actor: User, model: Model) -> Model:
    """Make it the model of agents that choose none. Raises `Conflict` when it or its provider is switched off."""
    _administrator(actor)
    if model.purpose != Purpose.CHAT:
        raise Conflict(f"“{model.label}” is for finding passages, not for agents.")
    if not (model.is_enabled and model.provider.is_enabled):
        raise Conflict(f"“{model.label}” is switched off. Switch it and its provider on first.")
    with transaction.atomic():
        # One order of locking, so that two administrators at once leave one default.
        list(Model.objects.select_for_update().order_by("pk"))
        Model.objects.filter(is_default=True).exclude(pk=model.pk).update(is_default=False)
        Model.objects.filter(pk=model.pk).update(is_default=True)
        record(actor=actor, action="model.made_default", target=model)
    model.is_default = True
    return model


def add_price(
    *,
    actor: User,
    model: Model,
    valid_from: datetime,
    input_price: Decimal,
    output_price: Decimal,
    cached_price: Decimal | None = None,
) -> ModelPrice:
    """Say what a million tokens of the model cost from a moment on; what was used before keeps its price.

    Raises `Invalid` for negative prices, for a moment that has a price already, and for the Offline model, which is free.
    """
    _administrator(actor)
    if model.provider.kind == ProviderKind.OFFLINE:
        raise Conflict("The Offline model is free.")
    given = {"input_price": input_price, "output_price": output_price, "cached_price": cached_price}
    wrong = {name: ["A price is 0 or more."] for name, value in given.items() if value is not None and value < 0}
    if wrong:
        raise Invalid(fields=wrong)
    with transaction.atomic():
        # The row of the model is the lock, so that of two prices for one moment the second finds the first.
        Model.objects.select_for_update().get(pk=model.pk)
        if model.prices.filter(valid_from=valid_from).exists():
            raise Invalid(fields={"valid_from": ["There is a price from this day on already. Choose another day."]})
        price = ModelPrice.objects.create(model=model, valid_from=valid_from, set_by=actor, **given)
        record(
            actor=actor,
            action="model.price_added",
            target=model,
            valid_from=valid_from.isoformat(),
            prices={name: str(value) for name, value in given.items() if value is not None},
        )
    return price


def remove_price(*, actor: User, price: ModelPrice) -> None:
    """Take back a price that does not hold yet. Raises `Conflict` for one that runs may have been counted with."""
    _administrator(actor)
    if price.valid_from <= timezone.now():
        raise Conflict("This price holds already, and what was used is counted with it. Add another from today on.")
    with transaction.atomic():
        record(actor=actor, action="model.price_removed", target=price.model, valid_from=price.valid_from.isoformat())
        price.delete()


def _administrator(actor: User) -> None:
    if not actor.is_administrator:
        raise NotAllowed("Only administrators may change models and providers.")


def _refuse_default(models: Iterable[Model], sentence: str) -> None:
    if any(model.is_default for model in models):
        raise Conflict(f"{sentence} Make another model the default first.")


def _check_provider(provider: ModelProvider) -> None:
    provider.name = provider.name.strip()
    provider.base_url = provider.base_url.strip().rstrip("/")
    fields = row_errors(provider)
    if provider.kind in providers.NEEDS_URL and not provider.base_url:
        fields["base_url"] = ["Enter the provider's address, such as https://models.example.org/v1."]
    if provider.base_url and "base_url" not in fields:
        parts = urlsplit(provider.base_url)
        if parts.scheme not in {"http", "https"} or parts.username or parts.password:
            fields["base_url"] = ["Enter an http or https address without user name and password."]
    if sentence := header_problem(provider.headers):
        fields["headers"] = [sentence]
    if fields:
        raise Invalid(fields=fields)


def _check(model: Model) -> None:
    if model.purpose == Purpose.EMBEDDING and model.provider.kind in {ProviderKind.OFFLINE, ProviderKind.ANTHROPIC}:
        raise Invalid(fields={"purpose": [f"{model.provider.name} has no models for finding passages by meaning."]})
    if fields := row_errors(model):
        raise Invalid(fields=fields)

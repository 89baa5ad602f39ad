"""What a fresh installation begins with: the Offline model, and the providers whose keys the environment holds."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from django.db import connection, transaction

from audit.models import Entry
from audit.services import record
from integrations import providers
from integrations.models import Model, ModelProvider, ProviderKind
from integrations.services.secrets import seal_key
from mindloom import wall
from mindloom.environment import Environment
from mindloom.web.errors import Invalid

log = logging.getLogger(__name__)
_LOCK = 0x6D6C6D64
"""One process at a time sets the defaults up."""
_OLLAMA_SECONDS = 2.0


@dataclass(frozen=True)
class _Found:
    """A provider that the environment describes. `models`: provider's name, label, description, context window."""

    kind: ProviderKind
    name: str
    key: str = ""
    base_url: str = ""
    api_version: str = ""
    models: tuple[tuple[str, str, str, int | None], ...] = ()


_OPENAI = (
    ("gpt-5-mini", "GPT-5 mini", "Quick and inexpensive", 400_000),
    ("gpt-5", "GPT-5", "For difficult work", 400_000),
    ("gpt-4.1", "GPT-4.1", "Long documents", 1_000_000),
)
_ANTHROPIC = (
    ("claude-sonnet-4-5", "Claude Sonnet 4.5", "Balanced", 200_000),
    ("claude-haiku-4-5", "Claude Haiku 4.5", "Quick and inexpensive", 200_000),
    ("claude-opus-4-1", "Claude Opus 4.1", "For difficult work", 200_000),
)


def ensure_defaults() -> list[ModelProvider]:
    """Make what is missing and return the providers that were made. Safe to call at every start, in many processes at once.

    A kind of provider that an administrator has removed stays removed. A bad value in the environment is logged and left out.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        known = set(ModelProvider.objects.values_list("kind", flat=True)) | _removed_kinds()
        tried = [_make(found) for found in _environment() if found.kind not in known]
        made = [provider for provider in tried if provider is not None]
        _ensure_default_model()
    for provider in made:
        if provider.kind == ProviderKind.OLLAMA:
            _list_ollama(provider)
    return made


def _removed_kinds() -> set[str]:
    with wall.system("audit: which providers an administrator has removed"):
        entries = Entry.objects.filter(action="provider.deleted").values_list("data__kind", flat=True)
        return {str(kind) for kind in entries} - {ProviderKind.OFFLINE.value}


def _environment() -> list[_Found]:
    env = Environment()
    found = [
        _Found(
            ProviderKind.OFFLINE,
            "Offline",
            models=(("offline", "Offline", "Built in; picks and arranges what it is given", None),),
        )
    ]
    if key := env.secret("OPENAI_API_KEY"):
        found.append(_Found(ProviderKind.OPENAI, "OpenAI", key, models=_OPENAI))
    if key := env.secret("ANTHROPIC_API_KEY"):
        found.append(_Found(ProviderKind.ANTHROPIC, "Anthropic", key, models=_ANTHROPIC))
    azure = env.text("AZURE_OPENAI_ENDPOINT", "").rstrip("/")
    if azure and (key := env.secret("AZURE_OPENAI_API_KEY")):
        deployments = env.words("AZURE_OPENAI_DEPLOYMENTS", []) or ["gpt-5-mini", "gpt-4.1"]
        models = tuple((name, name, "Azure deployment", None) for name in deployments)
        found.append(
            _Found(ProviderKind.AZURE, "Azure OpenAI", key, azure, env.text("AZURE_OPENAI_API_VERSION", ""), models)
        )
    if host := env.text("OLLAMA_HOST", "").strip().rstrip("/"):
        url = host if "://" in host else f"http://{host}"
        found.append(_Found(ProviderKind.OLLAMA, "Ollama", base_url=url.replace("//0.0.0.0", "//127.0.0.1")))
    return found


def _make(found: _Found) -> ModelProvider | None:
    if ModelProvider.objects.filter(name=found.name).exists():
        return None
    provider = ModelProvider(kind=found.kind, name=found.name, base_url=found.base_url, api_version=found.api_version)
    try:
        with transaction.atomic():
            provider.save()
            if found.key:
                seal_key(provider, found.key)
    except Invalid as error:
        log.warning("The provider %s was not set up from the environment: %s", found.name, error.fields)
        return None
    Model.objects.bulk_create(
        Model(provider=provider, model_id=model_id, label=label, description=description, context_window=window)
        for model_id, label, description, window in found.models
    )
    record(actor=None, action="provider.created", target=provider, kind=provider.kind)
    return provider


def _ensure_default_model() -> None:
    """The Offline model, as long as nobody chose another."""
    if Model.objects.filter(is_default=True).exists():
        return
    model = Model.objects.usable().filter(provider__kind=ProviderKind.OFFLINE).first() or Model.objects.usable().first()
    if model is not None:
        Model.objects.filter(pk=model.pk).update(is_default=True)


def _list_ollama(provider: ModelProvider) -> None:
    """The models that are there already; none when Ollama does not run now."""
    try:
        offers = providers.list_models(provider, "", seconds=_OLLAMA_SECONDS)
    except providers.ProviderError as error:
        log.info("Ollama's models are not listed yet: %s", error)
        return
    Model.objects.bulk_create(
        (Model(provider=provider, model_id=offer.model_id, label=offer.label) for offer in offers),
        ignore_conflicts=True,
    )

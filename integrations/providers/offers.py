"""Speaks to model providers about themselves: which models they offer, whether a key works."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from django.conf import settings

from integrations.models import ModelProvider, ProviderKind
from integrations.outbound import Answer, OutboundError, fetch

SECONDS = 10.0
MOST_MODELS = 300
_LONGEST_ERROR = 400
_ANTHROPIC_VERSION = "2023-06-01"
AZURE_VERSION = "2024-10-21"
DEFAULT_URLS = {
    ProviderKind.OPENAI: "https://api.openai.com/v1",
    ProviderKind.ANTHROPIC: "https://api.anthropic.com",
    ProviderKind.OLLAMA: "http://localhost:11434",
}
NEEDS_KEY = frozenset({ProviderKind.OPENAI, ProviderKind.AZURE, ProviderKind.ANTHROPIC})
NEEDS_URL = frozenset({ProviderKind.AZURE, ProviderKind.OPENAI_LIKE})


class ProviderError(Exception):
    """The provider refused or could not be reached; the message is for administrators and never holds the key."""


@dataclass(frozen=True)
class Offer:
    """A model as its provider lists it."""

    model_id: str
    label: str


def list_models(provider: ModelProvider, key: str, *, seconds: float = SECONDS) -> list[Offer]:
    """The models that the provider says it has, by name. Raises `ProviderError`."""
    kind = ProviderKind(provider.kind)
    if kind is ProviderKind.OFFLINE:
        return [Offer("offline", "Offline")]
    url = _models_url(kind, provider)
    answer = _call(url, provider, headers_for(kind, key, provider), key, seconds)
    return _offers(answer, provider)


def _models_url(kind: ProviderKind, provider: ModelProvider) -> str:
    base = (provider.base_url or DEFAULT_URLS.get(kind, "")).rstrip("/")
    if not base:
        raise ProviderError("The provider has no address. Enter it.")
    if kind is ProviderKind.ANTHROPIC:
        return f"{base.removesuffix('/v1')}/v1/models?limit=100"
    if kind is ProviderKind.AZURE:
        return f"{base}/openai/models?api-version={quote(provider.api_version or AZURE_VERSION)}"
    if kind is ProviderKind.OLLAMA:
        return f"{base.removesuffix('/v1')}/v1/models"
    return f"{base}/models"


def headers_for(kind: ProviderKind, key: str, provider: ModelProvider) -> dict[str, str]:
    """What a provider of this kind is sent with every request."""
    headers = {"accept": "application/json", **provider.headers}
    if kind is ProviderKind.ANTHROPIC:
        headers |= {"x-api-key": key, "anthropic-version": _ANTHROPIC_VERSION}
    elif kind is ProviderKind.AZURE:
        headers["api-key"] = key
    elif key:
        headers["authorization"] = f"Bearer {key}"
    return headers


def _call(url: str, provider: ModelProvider, headers: dict[str, str], key: str, seconds: float) -> Answer:
    try:
        answer = fetch(url, allowed=settings.PROVIDER_ALLOWED_NETWORKS, headers=headers, seconds=seconds)
    except OutboundError as error:
        raise ProviderError(without(str(error), key)) from None
    if answer.status >= 400:
        raise ProviderError(_refusal(answer, provider, key))
    return answer


def _refusal(answer: Answer, provider: ModelProvider, key: str) -> str:
    said = without(own_words(answer), key)
    told = f" It says: {said}" if said else ""
    if answer.status in {401, 403}:
        return f"{provider.name} does not accept the key ({answer.status}). Check it and enter it again.{told}"
    if answer.status == 404:
        return f"{provider.name} has no list of models at this address (404). Check the address.{told}"
    return f"{provider.name} answered {answer.status}.{told}"


def own_words(answer: Answer) -> str:
    """The provider's error text, bounded; a page of HTML says nothing."""
    try:
        body = answer.json()
    except OutboundError:
        return "" if "html" in answer.media_type else " ".join(answer.text.split())[:_LONGEST_ERROR]
    error = body.get("error", body) if isinstance(body, dict) else body
    message = error.get("message") if isinstance(error, dict) else error
    return " ".join(str(message or "").split())[:_LONGEST_ERROR]


def without(text: str, key: str) -> str:
    """The text without the key, or the part of it that providers show."""
    if key:
        text = text.replace(key, "[key]")
    return re.sub(r"\b(sk-|key-)[\w*-]{4,}", "[key]", text)


def _offers(answer: Answer, provider: ModelProvider) -> list[Offer]:
    try:
        body = answer.json()
    except OutboundError:
        raise ProviderError(f"{provider.name} did not answer with a list of models. Check the address.") from None
    rows: Any = body.get("data") if isinstance(body, dict) else None
    if not isinstance(rows, list):
        raise ProviderError(f"{provider.name} did not answer with a list of models. Check the address.")
    found: dict[str, Offer] = {}
    for row in rows:
        name = row.get("id") if isinstance(row, dict) else None
        if isinstance(name, str) and name and len(name) <= 200 and name.isprintable():
            label = row.get("display_name")
            found[name] = Offer(
                name, (label if isinstance(label, str) and label.isprintable() and label else name)[:80]
            )
    return [found[name] for name in sorted(found)][:MOST_MODELS]

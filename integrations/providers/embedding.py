"""Asks an embedding model for the meaning of texts: OpenAI's protocol, which Azure, Ollama and most others speak, too."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from django.conf import settings

from integrations.models import ModelProvider, ProviderKind
from integrations.outbound import Answer, OutboundError, fetch
from integrations.providers.offers import AZURE_VERSION, DEFAULT_URLS, headers_for, own_words, without

if TYPE_CHECKING:
    from collections.abc import Sequence

    from integrations.models import Model

LARGEST_ANSWER = 40_000_000
MOST_DIMENSIONS = 4_000
_TOO_MUCH = frozenset({400, 413, 422})
_WANTS_PEACE = frozenset({429, 503})
_LONGEST_ASKED = 3_600.0


class EmbeddingError(Exception):
    """The model gave no vectors; the message is a sentence for people and never holds the key.

    `is_refusal` says that it did not like these texts, so that fewer or shorter ones may do. `retry_after` are the seconds for which
    the provider wants to be left alone, None when it did not say so.
    """

    def __init__(self, message: str, *, is_refusal: bool = False, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.is_refusal = is_refusal
        self.retry_after = retry_after


def embed(model: Model, key: str, texts: Sequence[str], *, seconds: float) -> list[list[float]]:
    """A vector for each of the texts, all of one length. Raises `EmbeddingError`."""
    provider = model.provider
    kind = ProviderKind(provider.kind)
    try:
        answer = fetch(
            _url(kind, provider, model.model_id),
            method="POST",
            allowed=settings.PROVIDER_ALLOWED_NETWORKS,
            headers=headers_for(kind, key, provider),
            json={"model": model.model_id, "input": list(texts), "encoding_format": "float"},
            max_bytes=LARGEST_ANSWER,
            seconds=seconds,
        )
    except OutboundError as error:
        raise EmbeddingError(f"“{model.label}” can’t be asked: {without(str(error), key)}") from None
    if answer.status >= 400:
        raise _refusal(answer, model, key)
    return _vectors(answer, model, len(texts))


def _url(kind: ProviderKind, provider: ModelProvider, name: str) -> str:
    base = (provider.base_url or DEFAULT_URLS.get(kind, "")).rstrip("/")
    if kind in {ProviderKind.OFFLINE, ProviderKind.ANTHROPIC} or not base:
        raise EmbeddingError(f"{provider.name} has no models for the meaning of texts.")
    if kind is ProviderKind.AZURE:
        version = quote(provider.api_version or AZURE_VERSION)
        return f"{base}/openai/deployments/{quote(name, safe='')}/embeddings?api-version={version}"
    return f"{base.removesuffix('/v1')}/v1/embeddings" if kind is ProviderKind.OLLAMA else f"{base}/embeddings"


def _refusal(answer: Answer, model: Model, key: str) -> EmbeddingError:
    said = without(own_words(answer), key)
    told = f" It says: {said}" if said else ""
    name = f"“{model.label}” of {model.provider.name}"
    if answer.status in {401, 403}:
        return EmbeddingError(f"{model.provider.name} does not accept the key ({answer.status}).{told}")
    if answer.status == 404:
        return EmbeddingError(f"{model.provider.name} has no model “{model.model_id}” (404).{told}")
    if answer.status in _WANTS_PEACE:
        seconds = asked_seconds(str(answer.headers.get("retry-after", "")))
        return EmbeddingError(f"{name} takes no more requests now ({answer.status}).{told}", retry_after=seconds)
    return EmbeddingError(f"{name} answered {answer.status}.{told}", is_refusal=answer.status in _TOO_MUCH)


def asked_seconds(text: str) -> float:
    """What a Retry-After header asks for, as a number or as a date; a few seconds for none, or one that says nothing."""
    text = text.strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:9]), _LONGEST_ASKED)
    try:
        then = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return 5.0
    then = then if then.tzinfo else then.replace(tzinfo=UTC)
    return min(max((then - datetime.now(UTC)).total_seconds(), 0.0), _LONGEST_ASKED)


def _vectors(answer: Answer, model: Model, count: int) -> list[list[float]]:
    wrong = EmbeddingError(f"“{model.label}” did not answer with vectors. Check that it is an embedding model.")
    try:
        body = answer.json()
    except OutboundError:
        raise wrong from None
    rows: Any = body.get("data") if isinstance(body, dict) else None
    if not isinstance(rows, list) or len(rows) != count or not all(isinstance(row, dict) for row in rows):
        raise wrong
    found: list[Any] = [None] * count
    for place, row in enumerate(rows):
        index = row.get("index", place)
        if not isinstance(index, int) or not 0 <= index < count:
            raise wrong
        found[index] = row.get("embedding")
    if not all(_is_vector(one) for one in found) or len({len(one) for one in found}) != 1:
        raise wrong
    if len(found[0]) > MOST_DIMENSIONS:
        raise EmbeddingError(f"“{model.label}” has {len(found[0]):,} dimensions; {MOST_DIMENSIONS:,} can be searched.")
    return found


def _is_vector(value: Any) -> bool:
    """Numbers, finite and not all zero: the angle to nothing is none."""
    if not isinstance(value, list) or not value:
        return False
    if not all(isinstance(one, (int, float)) and not isinstance(one, bool) and math.isfinite(one) for one in value):
        return False
    return any(value)

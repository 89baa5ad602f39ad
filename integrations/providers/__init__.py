"""Speaks to model providers for the platform itself: what they offer, whether a key works, the meaning of texts."""

from integrations.providers.embedding import EmbeddingError, embed
from integrations.providers.offers import (
    AZURE_VERSION,
    DEFAULT_URLS,
    NEEDS_KEY,
    NEEDS_URL,
    Offer,
    ProviderError,
    list_models,
    without,
)

__all__ = [
    "AZURE_VERSION",
    "DEFAULT_URLS",
    "NEEDS_KEY",
    "NEEDS_URL",
    "EmbeddingError",
    "Offer",
    "ProviderError",
    "embed",
    "list_models",
    "without",
]

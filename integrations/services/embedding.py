"""The meaning of texts, from the embedding models that administrators set up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from integrations.providers import EmbeddingError, limiter
from integrations.providers import embed as ask
from integrations.services.secrets import opened
from mindloom.engine.spec import ModelSpec
from mindloom.web.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from integrations.models import Model


def embed(model: Model, texts: Sequence[str], *, seconds: float = 30.0) -> list[list[float]]:
    """A vector for each of the texts. Raises `EmbeddingError`, at once while the provider wants to be left alone.

    That is what runs heard from it, too: they share its limits.
    """
    if not (model.is_enabled and model.provider.is_enabled):
        raise EmbeddingError(f"The embedding model “{model.label}” is switched off. An administrator can switch it on.")
    account = _account(model)
    if (wait := limiter.wait_for(account)) > 0:
        message = f"{model.provider.name} takes no more requests for another {wait:.0f} s."
        raise EmbeddingError(message, retry_after=wait)
    try:
        return ask(model, opened(model.provider), texts, seconds=seconds)
    except Unavailable as error:
        raise EmbeddingError(error.message) from None
    except EmbeddingError as error:
        if error.retry_after is not None:
            limiter.hold(account, error.retry_after)
        raise


def _account(model: Model) -> int:
    """The number under which runs know the same account."""
    provider = model.provider
    reference = f"provider:{provider.uuid}" if provider.key_sealed else ""
    spec = ModelSpec(kind=provider.kind, model="", base_url=provider.base_url, key_ref=reference)  # type: ignore[arg-type]
    return spec.provider_key

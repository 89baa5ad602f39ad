"""From a model's spec to Agno's model, on clients that all runs of the process share."""

from __future__ import annotations

import os
import threading
from collections.abc import AsyncIterator
from functools import lru_cache
from typing import Any

from openai import AsyncAzureOpenAI, AsyncOpenAI

from mindloom.engine.agno_adapter.agno_setup import ModelResponse  # first: it tames Agno's logging
from mindloom.engine.agno_adapter.chat import ChatModel
from mindloom.engine.agno_adapter.metered import MeteredModel
from mindloom.engine.agno_adapter.offline import OfflineModel
from mindloom.engine.errors import EngineError
from mindloom.engine.spec import ModelSpec

from agno.models.openai.chat import OpenAIChat  # isort: skip
from agno.models.openai.like import OpenAILike  # isort: skip

OLLAMA_URL = "http://localhost:11434/v1"
AZURE_API_VERSION = "2024-10-21"
LONGER_THAN_OURS_SECONDS = 5.0
"""The SDK's own timeout is this much longer than ours, so that ours, which has a sentence, comes first."""
_CACHED_CLIENTS = 64

_COMMON = frozenset({"temperature", "max_tokens", "top_p"})
_OPENAI = _COMMON | {
    "max_completion_tokens", "presence_penalty", "frequency_penalty", "seed", "stop", "reasoning_effort", "verbosity",
}  # fmt: skip
_ANTHROPIC = _COMMON | {"top_k", "stop_sequences", "thinking"}


class _OpenAI(ChatModel, OpenAIChat):
    """OpenAI itself."""


class _OpenAILike(ChatModel, OpenAILike):
    """Whatever else speaks OpenAI's protocol."""


class _Offline(MeteredModel, OfflineModel):
    """The model that needs no provider."""

    def request(self, *args: Any, **options: Any) -> AsyncIterator[ModelResponse]:
        """Write the answer."""
        self.finish_reason = "stop"
        return OfflineModel.ainvoke_stream(self, *args, **options)


def build(spec: ModelSpec, api_key: str) -> MeteredModel:
    """A fresh model for one run. Raises `EngineError` when the spec lacks something."""
    if spec.kind == "offline":
        return _Offline(id=spec.model or "offline", pace_ms=spec.parameters.get("pace_ms"))
    parameters = dict(spec.parameters)
    parameters.pop("pace_ms", None)
    client = _client_for(spec, api_key)
    if spec.kind == "anthropic":
        from mindloom.engine.agno_adapter.claude import ClaudeModel

        return ClaudeModel(id=spec.model, async_client=client, api_key=api_key, **_known(spec, parameters, _ANTHROPIC))
    if spec.kind == "openai":
        if "max_tokens" in parameters:
            # OpenAI's reasoning models refuse the old name, and all of its models know the new one.
            parameters.setdefault("max_completion_tokens", parameters.pop("max_tokens"))
        return _OpenAI(id=spec.model, async_client=client, api_key=api_key, **_known(spec, parameters, _OPENAI))
    if spec.kind == "azure":
        from mindloom.engine.agno_adapter.azure import AzureModel

        return AzureModel(id=spec.model, async_client=client, api_key=api_key, **_known(spec, parameters, _OPENAI))
    # Servers of this protocol know more parameters than OpenAI (top_k, repetition_penalty …): they travel in the body.
    known = {name: value for name, value in parameters.items() if name in _OPENAI}
    extra = {name: value for name, value in parameters.items() if name not in _OPENAI}
    return _OpenAILike(id=spec.model, async_client=client, extra_body=extra or None, **known)


def _known(spec: ModelSpec, parameters: dict[str, Any], names: frozenset[str]) -> dict[str, Any]:
    unknown = sorted(parameters.keys() - names)
    if unknown:
        message = (
            f'The model "{spec.model}" has the parameter "{unknown[0]}", which its provider does not know. '
            f"Known parameters: {', '.join(sorted(names))}."
        )
        raise EngineError(message)
    return parameters


def _client_for(spec: ModelSpec, api_key: str) -> Any:
    provider = spec.provider or spec.kind
    if not api_key and spec.kind in {"openai", "azure", "anthropic"}:
        message = f'The provider "{provider}" has no key. An administrator can set it under Models.'
        raise EngineError(message, kind="system_error")
    base_url = spec.base_url or (OLLAMA_URL if spec.kind == "ollama" else "")
    if not base_url and spec.kind in {"openai_like", "azure"}:
        message = f'The provider "{provider}" has no address. An administrator can set it under Models.'
        raise EngineError(message, kind="system_error")
    if spec.kind == "ollama" and not base_url.rstrip("/").endswith("/v1"):
        base_url = base_url.rstrip("/") + "/v1"
    headers = tuple(sorted(spec.headers.items()))
    return CLIENTS.get(spec.kind, base_url, api_key, headers, spec.timeout_seconds, spec.api_version)


class Clients:
    """The clients of the process. One costs 20 to 60 ms to make and holds the connections, so it is made once."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Start anew: after a fork the connections and the lock belong to the parent."""
        self._lock = threading.Lock()
        self._made = lru_cache(maxsize=_CACHED_CLIENTS)(_client)

    def get(self, *key: Any) -> Any:
        """The client for this provider, key and headers."""
        with self._lock:
            return self._made(*key)


def _client(
    kind: str, base_url: str, api_key: str, headers: tuple[tuple[str, str], ...], timeout: float, api_version: str
) -> Any:
    """A new client. It never asks again by itself, because our own policy does."""
    options: dict[str, Any] = {
        "max_retries": 0,
        "timeout": timeout + LONGER_THAN_OURS_SECONDS,
        "default_headers": dict(headers) or None,
    }
    if kind == "anthropic":
        from mindloom.engine.agno_adapter.claude import AsyncAnthropic

        return AsyncAnthropic(api_key=api_key, base_url=base_url or None, **options)
    if kind == "azure":
        return AsyncAzureOpenAI(
            api_key=api_key, azure_endpoint=base_url, api_version=api_version or AZURE_API_VERSION, **options
        )
    # A server on one's own machine often has no key, and the client insists on one.
    return AsyncOpenAI(api_key=api_key or "none", base_url=base_url or "https://api.openai.com/v1", **options)


CLIENTS = Clients()
os.register_at_fork(after_in_child=CLIENTS.forget)

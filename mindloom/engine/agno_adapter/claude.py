"""Anthropic's messages protocol. Its SDK takes some 35 MB and a second or two to import: only where such a model is used."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from anthropic import AsyncAnthropic

from mindloom.engine.agno_adapter.agno_setup import ModelResponse  # first: it tames Agno's logging
from mindloom.engine.agno_adapter.metered import MeteredModel

from agno.models.anthropic import Claude  # isort: skip


class ClaudeModel(MeteredModel, Claude):
    """Agno's model of this protocol, with our boundary around it."""

    def request(self, *args: Any, **options: Any) -> AsyncIterator[ModelResponse]:
        """Ask for a streamed answer."""
        return Claude.ainvoke_stream(self, *args, **options)

    def _parse_provider_response_delta(self, response: Any, *args: Any, **options: Any) -> ModelResponse:
        if response.type == "message_stop":
            self.finish_reason = "length" if response.message.stop_reason == "max_tokens" else "stop"
        return super()._parse_provider_response_delta(response, *args, **options)


__all__ = ["AsyncAnthropic", "ClaudeModel"]

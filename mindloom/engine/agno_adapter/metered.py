"""Agno's models with our boundary around them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from mindloom.engine.agno_adapter.agno_setup import Message, Model, ModelResponse

if TYPE_CHECKING:
    from mindloom.engine.agno_adapter.calls import ModelCalls

_KEPT = ("content", "reasoning_content", "redacted_reasoning_content", "provider_data", "tool_calls")


class MeteredModel(Model):
    """Mixed into an Agno model: sends its requests through `ModelCalls` and its tool calls to our toolbox."""

    calls: ModelCalls
    finish_reason: str | None

    async def aprocess_response_stream(  # type: ignore[override] # Agno calls it by name
        self, messages: list[Message], assistant_message: Message, stream_data: Any, **options: Any
    ) -> AsyncIterator[ModelResponse]:
        """One turn, from the journal or from the provider."""
        entry = self.calls.told()
        if entry is not None:
            message = entry["message"]
            for name in _KEPT:
                if message.get(name) is not None:
                    setattr(assistant_message, name, message[name])
            stream_data.extra = message.get("extra")
            if message.get("content"):
                stream_data.response_content = message["content"]
                yield ModelResponse(content=message["content"])
            return
        before = self.calls.session.budget.tokens
        deltas = super().aprocess_response_stream(messages, assistant_message, stream_data, **options)
        async for delta in deltas:  # type: ignore[attr-defined] # an async generator, whatever Agno's annotation says
            yield delta
        message = {name: getattr(assistant_message, name) for name in _KEPT}
        spent = self.calls.session.budget.tokens - before
        self.calls.write_down({**message, "extra": stream_data.extra}, spent)

    async def ainvoke_stream(self, *args: Any, **options: Any) -> AsyncIterator[ModelResponse]:
        """Send one turn's request and yield the answer."""
        messages = options.pop("messages") if not args else args[0]
        for response in await self.calls.turn(messages, options):
            yield response

    def request(self, messages: list[Message], **options: Any) -> AsyncIterator[ModelResponse]:
        """The provider's stream of one request; sets `finish_reason` when it says why it ended."""
        raise NotImplementedError

    def get_function_calls_to_run(self, assistant_message: Any, messages: Any, functions: Any = None) -> list[Any]:
        """The tool calls of an answer as Agno wants them; bad ones are the toolbox's to refuse."""
        return self.calls.toolbox.function_calls(assistant_message.tool_calls or [], functions or {})

    def get_system_message_for_model(self, *_: Any, **__: Any) -> str | None:
        """Nothing: prompts hold what the agent's author wrote."""
        return None

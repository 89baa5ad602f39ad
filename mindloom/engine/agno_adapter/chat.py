"""The chat completions protocol, which four kinds of model speak.

Most of a stream is pieces of plain text. Making the SDK's typed object of each costs more than all the rest of a run, so
pieces are read as the plain JSON they came as, and only those that hold more than text become the SDK's and Agno's objects.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from openai import AsyncStream, BadRequestError
from openai.types.chat import ChatCompletionChunk

from mindloom.engine.agno_adapter.agno_setup import Message, ModelResponse
from mindloom.engine.agno_adapter.metered import MeteredModel

from agno.models.openai.chat import OpenAIChat  # isort: skip

_OPTIONS = {"extra_headers": "headers", "extra_query": "params", "extra_body": "extra_json"}
"""What Agno calls a part of the request that is not its body, and the SDK's low-level name for it."""
_TEXTS = {"content": "content", "reasoning_content": "reasoning_content", "reasoning": "reasoning_content"}


class ChatModel(MeteredModel):
    """Mixed into Agno's models of this protocol."""

    async def request(self, messages: list[Message], *_: Any, **options: Any) -> AsyncIterator[ModelResponse]:
        """Ask for a streamed answer. Agno's own method hides why a stream ended or a request failed."""
        assert isinstance(self, OpenAIChat)
        keys = ("response_format", "tools", "tool_choice", "run_response")
        body = {
            "model": self.id,
            "messages": self._format_all_messages(messages),
            "stream": True,
            **self.get_request_params(**{key: options.get(key) for key in keys}),
        }
        try:
            stream = await self._ask({**body, "stream_options": {"include_usage": True}})
        except BadRequestError as error:
            if "stream_options" not in str(error):
                raise
            stream = await self._ask(body)  # an older server: its answer is worth more than its count of tokens
        async with stream:
            async for chunk in stream:
                yield text_of(chunk) or self._rest_of(chunk)

    async def _ask(self, body: dict[str, Any]) -> AsyncStream[Any]:
        assert isinstance(self, OpenAIChat)
        options: Any = {name: body.pop(key) for key, name in _OPTIONS.items() if key in body}
        options["security"] = {"bearer_auth": True}
        stream: AsyncStream[Any] = await self.get_async_client().post(
            "/chat/completions",
            body=body,
            options=options,
            cast_to=object,
            stream=True,
            stream_cls=AsyncStream[Any],
        )
        return stream

    def _rest_of(self, chunk: Any) -> ModelResponse:
        """A piece with more than text: tool calls, usage, why the answer ended."""
        assert isinstance(self, OpenAIChat)
        if not isinstance(chunk, dict):
            return ModelResponse()
        response = ChatCompletionChunk.construct(**chunk)
        if response.choices and response.choices[0].finish_reason:
            self.finish_reason = response.choices[0].finish_reason
        return self._parse_provider_response_delta(response)


def text_of(chunk: Any) -> ModelResponse | None:
    """The piece when it is text of one kind and nothing else, else None."""
    choices = chunk.get("choices") if isinstance(chunk, dict) else None
    if not choices or not isinstance(choices, list) or chunk.get("usage") is not None:
        return None
    choice = choices[0]
    if not isinstance(choice, dict) or choice.get("finish_reason") is not None:
        return None
    delta = choice.get("delta")
    if not isinstance(delta, dict):
        return None
    found: dict[str, str] = {}
    for name, value in delta.items():
        if value is None or name == "role":
            continue
        if name not in _TEXTS or not isinstance(value, str) or found:
            return None
        found[_TEXTS[name]] = value
    return ModelResponse(**found) if found else None  # type: ignore[arg-type]

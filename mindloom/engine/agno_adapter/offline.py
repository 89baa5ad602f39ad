"""The Offline model behind Agno's interface: no provider, no key, no network.

It reads the conversation like any model, asks for tools that it can fill, and streams an answer made of the input's own
sentences (`mindloom.engine.extractive`). Its token counts are an estimate, one token for four characters.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, NoReturn

from mindloom.engine.agno_adapter import builtin
from mindloom.engine.agno_adapter.agno_setup import Message, MessageMetrics, Model, ModelResponse
from mindloom.engine.extractive import calling, leading, writing
from mindloom.engine.extractive.asking import Request

DEFAULT_PACE_MS = 12
LONGEST_SECONDS = 4.0
CHARACTERS_PER_TOKEN = 4
_ERROR = "Error: "


@dataclass
class OfflineModel(Model):
    """Deterministic: the same conversation gives the same answer."""

    id: str = "offline"
    pace_ms: float | None = None

    async def ainvoke_stream(self, messages: list[Message], *_: Any, **options: Any) -> AsyncIterator[ModelResponse]:
        """Ask for tools, or write the answer piece by piece."""
        conversation = Conversation(messages, options.get("tools") or [])
        calls = conversation.calls()
        text = "" if calls else conversation.answer()
        if calls:
            yield ModelResponse(tool_calls=[_tool_call(len(messages), i, call) for i, call in enumerate(calls)])
        for piece, seconds in self._paced(text):
            yield ModelResponse(content=piece)
            await asyncio.sleep(seconds)
        written = text or json.dumps(calls)
        yield ModelResponse(response_usage=_usage("".join(str(message.content or "") for message in messages), written))

    def _paced(self, text: str) -> Iterator[tuple[str, float]]:
        """The text word by word, or in larger pieces where that would take too long."""
        seconds = (DEFAULT_PACE_MS if self.pace_ms is None else self.pace_ms) / 1000
        words = re.findall(r"\s*\S+\s*", text)
        size = max(1, -(-len(words) * int(seconds * 1000) // int(LONGEST_SECONDS * 1000)))
        for start in range(0, len(words), size):
            yield "".join(words[start : start + size]), seconds

    def invoke(self, *_: Any, **__: Any) -> NoReturn:
        """Not used: the engine streams, on an event loop."""
        raise NotImplementedError

    async def ainvoke(self, *_: Any, **__: Any) -> NoReturn:
        """Not used: the engine streams."""
        raise NotImplementedError

    def invoke_stream(self, *_: Any, **__: Any) -> NoReturn:
        """Not used: the engine streams on an event loop."""
        raise NotImplementedError

    def _parse_provider_response(self, response: Any, **_: Any) -> NoReturn:
        raise NotImplementedError

    def _parse_provider_response_delta(self, response: Any) -> NoReturn:
        raise NotImplementedError


class Conversation:
    """A conversation as the Offline model reads it: one request, and what tools returned since."""

    def __init__(self, messages: list[Message], tools: list[dict[str, Any]]) -> None:
        users = [i for i, message in enumerate(messages) if message.role == "user"]
        since = messages[users[-1] + 1 :] if users else []
        system = "\n".join(str(m.content or "") for m in messages if m.role in {"system", "developer"})
        self.request = Request(system, str(messages[users[-1]].content or "") if users else "")
        self._asked = {
            str(call.get("id")): (str(call["function"]["name"]), json.loads(call["function"]["arguments"]))
            for message in since
            for call in message.tool_calls or ()
        }
        self._returned = [(str(m.tool_call_id), str(m.content or "")) for m in since if m.role == "tool"]
        self._tools = [_offered(tool["function"]) for tool in tools if tool.get("function")]

    def calls(self) -> list[calling.Call]:
        """The next calls: all that the input fills, then the one that saves the answer. Never the same twice."""
        if not self._asked:
            filled = leading.calls(self.request, self._tools) or calling.calls(self.request, self._tools)
            if filled:
                return filled
        names = {name for name, _ in self._asked.values()}
        save = next((tool for tool in self._tools if calling.is_save(tool) and tool.name not in names), None)
        if save is None or not self.request.wants_file or names & {t.name for t in self._tools if calling.is_save(t)}:
            return []
        results = self._results()
        title = writing.Material(self.request, results).topic
        return [calling.save_call(save, self.request, title, partial(writing.file, self.request, results))]

    def answer(self) -> str:
        """The text of the answer."""
        results = self._results()
        return leading.answer(self.request, results) or writing.answer(self.request, results)

    def _results(self) -> list[writing.Result]:
        saves = {tool.name for tool in self._tools if calling.is_save(tool)}
        results = []
        for call_id, text in self._returned:
            name, arguments = self._asked.get(call_id, ("", {}))
            failed = text.startswith(_ERROR)
            # What a leader asked is told apart by the member.
            alone = arguments.values() if len(arguments) == 1 else [arguments.get("member_id", "")]
            shown = next((str(value) for value in alone), "")
            saved, is_empty = name in saves and not failed, name == builtin.KNOWLEDGE and "\n" not in text
            results.append(writing.Result(name, shown, text, failed, saved, is_empty))
        return results


def _offered(function: dict[str, Any]) -> calling.Offered:
    return calling.Offered(function["name"], function.get("description") or "", function.get("parameters") or {})


def _tool_call(turn: int, index: int, call: calling.Call) -> dict[str, Any]:
    name, arguments = call
    return {
        "id": f"offline_{turn}_{index}",
        "type": "function",
        "function": {"name": name, "arguments": json.dumps(arguments)},
    }


def _usage(read: str, written: str) -> MessageMetrics:
    tokens_in, tokens_out = -(-len(read) // CHARACTERS_PER_TOKEN), -(-len(written) // CHARACTERS_PER_TOKEN)
    return MessageMetrics(input_tokens=tokens_in, output_tokens=tokens_out, total_tokens=tokens_in + tokens_out)

"""A fake model server over real HTTP: OpenAI's chat completions (Azure's too) and Anthropic's messages, streamed or not.

    python -m tests.fakes.openai_server --port 0        prints the port, then serves until it is stopped
    with FakeModels() as fake: fake.url, fake.script("name", [turn, …]), fake.requests

What it answers depends on the model's name. `plain` says hello, `echo` repeats the user's message, `deltas-200` streams 200
pieces and `deltas-200-20` one each 20 ms; every other name is a script, set by `script()` or POST /script
`{"model": name, "turns": [turn, …], "by": "turn" | "request"}`. By `turn` the answer depends only on how many the conversation has
already, so any number of runs may share a script, and the last turn repeats for ever; by `request` it depends on how many requests
came, which is what retries need. A turn is a dict:

    text            str, or a list of its pieces              reasoning   the same, before the text
    pace_ms         pause before each piece                   tool_calls  [{"name", "arguments": dict or raw str, "id"?}]
    usage           {"prompt_tokens", "completion_tokens", …}; None for none; left out: counted in words
    finish_reason   left out: what fits
    end             "done"; "half" ends without a finish reason; "reset" drops the connection in the middle; "stall" stops sending;
                    "never" does not even begin; "garbage" sends bytes that are no events; "html" a page; "error" an error event
    status, error, headers    an HTTP error: its status, the body's `error` object and headers
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, Self

Turn = dict[str, Any]
MODELS = ("plain", "echo", "deltas-200")
FOREVER = 3600


class FakeModels:
    """The server, in a thread of its own when used as a context manager."""

    def __init__(self) -> None:
        self.scripts: dict[str, tuple[list[Turn], str]] = {}
        self.requests: list[dict[str, Any]] = []
        self.port = 0
        self._counts: dict[str, int] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ready = threading.Event()
        self.announce: Callable[[int], None] = lambda port: None

    @property
    def url(self) -> str:
        """The base URL for OpenAI's protocol."""
        return f"http://127.0.0.1:{self.port}/v1"

    def script(self, model: str, turns: list[Turn], by: str = "turn") -> str:
        """Say what a model answers; returns its name."""
        self.scripts[model] = (turns, by)
        self._counts.pop(model, None)
        return model

    def bodies(self, model: str) -> list[dict[str, Any]]:
        """The bodies of the requests to one model, in order."""
        return [r["body"] for r in self.requests if isinstance(r["body"], dict) and r["body"].get("model") == model]

    def __enter__(self) -> Self:
        threading.Thread(target=lambda: asyncio.run(self.serve(0)), name="fake-models", daemon=True).start()
        self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._stop.set)

    async def serve(self, port: int, host: str = "127.0.0.1") -> None:
        """Serve until stopped."""
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        server = await asyncio.start_server(self._connection, host, port, limit=16 * 1024 * 1024)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self.announce(self.port)
        await self._stop.wait()
        server.close()

    # -- HTTP -------------------------------------------------------------------------------------------------------------

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while await self._exchange(reader, writer):
                pass
        with contextlib.suppress(ConnectionError, RuntimeError):
            writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, target, _ = head[0].split(" ", 2)
        headers = {k.strip().lower(): v.strip() for k, _, v in (line.partition(":") for line in head[1:] if line)}
        raw = await reader.readexactly(int(headers.get("content-length") or 0))
        body = json.loads(raw) if raw else None
        path = target.split("?")[0]
        if path == "/requests":
            found = list(self.requests)
            if method == "DELETE":
                self.requests.clear()
            return await _json(writer, 200, found)
        if path == "/script":
            self.script(body["model"], body["turns"], body.get("by", "turn"))
            return await _json(writer, 200, {"ok": True})
        self.requests.append({"method": method, "path": target, "headers": headers, "body": body})
        if path.endswith("/models"):
            names = [*MODELS, *self.scripts]
            return await _json(writer, 200, {"object": "list", "data": [{"id": n, "object": "model"} for n in names]})
        if path.endswith("/chat/completions"):
            return await self._answer(writer, body, OpenAI())
        if path.endswith("/messages"):
            return await self._answer(writer, body, Anthropic())
        return await _json(writer, 404, {"error": {"message": f"No such path: {path}"}})

    async def _answer(self, writer: asyncio.StreamWriter, body: dict[str, Any], protocol: OpenAI | Anthropic) -> bool:
        turn = self._turn(body)
        if turn is None:
            name = body["model"]
            error = {
                "message": f"The model `{name}` does not exist",
                "type": "invalid_request_error",
                "code": "model_not_found",
            }
            return await _json(writer, 404, {"error": error})
        end = turn.get("end", "done")
        if end == "never":
            await asyncio.sleep(FOREVER)
        if "status" in turn:
            error = turn.get("error", {"message": "scripted error"})
            return await _json(writer, turn["status"], {"error": error}, turn.get("headers"))
        if end in {"garbage", "html"}:
            page = b"data: {not json\n\n\xff\xfe" if end == "garbage" else b"<html><body>Welcome</body></html>"
            return await _send(writer, 200, page, "text/event-stream" if end == "garbage" else "text/html")
        if not body.get("stream"):
            return await _json(writer, 200, protocol.whole(turn, body))
        return await _stream(writer, turn, protocol.pieces(turn, body), end)

    def _turn(self, body: dict[str, Any]) -> Turn | None:
        model = body["model"]
        if model not in self.scripts:
            return _named(model, body)
        turns, by = self.scripts[model]
        if by == "request":
            index = self._counts.get(model, 0)
            self._counts[model] = index + 1
        else:
            index = sum(message["role"] == "assistant" for message in body["messages"])
        return turns[min(index, len(turns) - 1)]


def _named(model: str, body: dict[str, Any]) -> Turn | None:
    """The turn of a model that needs no script."""
    kind, *numbers = model.split("-")
    if kind == "plain":
        return {"text": ["Hello", " from", " the", " fake", " model", "."]}
    if kind == "echo":
        said = [m["content"] for m in body["messages"] if m["role"] == "user"][-1]
        return {"text": said if isinstance(said, str) else "".join(part.get("text", "") for part in said)}
    if kind == "deltas" and numbers and all(n.isdigit() for n in numbers):
        return {"text": _words(int(numbers[0])), "pace_ms": int(numbers[1]) if len(numbers) > 1 else 0}
    return None


@lru_cache(maxsize=16)
def _words(count: int) -> list[str]:
    return [f"word{i:04d} " for i in range(count)]


def _parts(value: str | list[str] | None) -> list[str]:
    return [] if not value else [value] if isinstance(value, str) else value


def _usage(turn: Turn, body: dict[str, Any]) -> dict[str, Any] | None:
    if "usage" in turn:
        return turn["usage"]
    prompt = sum(len(str(message.get("content") or "").split()) for message in body["messages"])
    answer = sum(len(part.split()) for part in _parts(turn.get("text")))
    return {"prompt_tokens": prompt, "completion_tokens": answer, "total_tokens": prompt + answer}


def _calls(turn: Turn, body: dict[str, Any]) -> list[dict[str, Any]]:
    number = len(body["messages"])
    return [
        {
            "index": i,
            "id": call.get("id", f"call_{number}_{i}"),
            "type": "function",
            "function": {
                "name": call["name"],
                "arguments": call["arguments"] if isinstance(call["arguments"], str) else json.dumps(call["arguments"]),
            },
        }
        for i, call in enumerate(turn.get("tool_calls", ()))
    ]


class OpenAI:
    """Chat completions."""

    def pieces(self, turn: Turn, body: dict[str, Any]) -> Iterator[bytes]:
        """The server-sent events of a turn."""
        template = _chunk_template(body["model"])
        for text in _parts(turn.get("reasoning")):
            yield template % json.dumps({"reasoning_content": text}).encode()
        for text in _parts(turn.get("text")):
            yield template % (b'{"content":%s}' % json.dumps(text).encode())
        for call in _calls(turn, body):
            arguments = call["function"]["arguments"]
            half = len(arguments) // 2
            begun = {**call, "function": {"name": call["function"]["name"], "arguments": arguments[:half]}}
            rest = {"index": call["index"], "function": {"arguments": arguments[half:]}}
            yield template % json.dumps({"tool_calls": [begun]}).encode()
            yield template % json.dumps({"tool_calls": [rest]}).encode()
        end = turn.get("end", "done")
        if end == "error":
            yield b'data: {"error": {"message": "the engine ran out of memory", "type": "server_error"}}\n\n'
        if end != "done":
            return
        reason = turn.get("finish_reason", "tool_calls" if turn.get("tool_calls") else "stop")
        yield (template % b"{}").replace(b'"finish_reason":null', b'"finish_reason":"%s"' % reason.encode())
        usage = _usage(turn, body)
        if usage is not None and (body.get("stream_options") or {}).get("include_usage"):
            chunk = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": body["model"], "choices": []}
            yield b"data: " + json.dumps({**chunk, "usage": usage}).encode() + b"\n\n"
        yield b"data: [DONE]\n\n"

    def whole(self, turn: Turn, body: dict[str, Any]) -> dict[str, Any]:
        """The same turn when it is not streamed."""
        message: dict[str, Any] = {"role": "assistant", "content": "".join(_parts(turn.get("text"))) or None}
        if turn.get("tool_calls"):
            message["tool_calls"] = _calls(turn, body)
        if turn.get("reasoning"):
            message["reasoning_content"] = "".join(_parts(turn["reasoning"]))
        reason = turn.get("finish_reason", "tool_calls" if turn.get("tool_calls") else "stop")
        return {
            "id": "c",
            "object": "chat.completion",
            "created": 1,
            "model": body["model"],
            "choices": [{"index": 0, "message": message, "finish_reason": reason}],
            "usage": _usage(turn, body),
        }


@lru_cache(maxsize=256)
def _chunk_template(model: str) -> bytes:
    name = json.dumps(model).encode().replace(b"%", b"%%")
    return (
        b'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":' + name
        + b',"choices":[{"index":0,"delta":%s,"finish_reason":null}]}\n\n'
    )  # fmt: skip


class Anthropic:
    """Messages."""

    def pieces(self, turn: Turn, body: dict[str, Any]) -> Iterator[bytes]:
        """The server-sent events of a turn."""
        usage = _usage(turn, body) or {"prompt_tokens": 0, "completion_tokens": 0}
        yield _named_event(
            "message_start", message={**self._head(body), "content": [], "usage": self._counts(usage, 0)}
        )
        index = 0
        for key, kind, delta in (("reasoning", "thinking", "thinking_delta"), ("text", "text", "text_delta")):
            parts = _parts(turn.get(key))
            if not parts:
                continue
            block = {"type": kind, kind: ""} | ({"signature": ""} if kind == "thinking" else {})
            yield _named_event("content_block_start", index=index, content_block=block)
            for text in parts:
                yield _named_event("content_block_delta", index=index, delta={"type": delta, kind: text})
            yield _named_event("content_block_stop", index=index)
            index += 1
        for call in _calls(turn, body):
            block = {"type": "tool_use", "id": call["id"], "name": call["function"]["name"], "input": {}}
            yield _named_event("content_block_start", index=index, content_block=block)
            delta = {"type": "input_json_delta", "partial_json": call["function"]["arguments"]}
            yield _named_event("content_block_delta", index=index, delta=delta)
            yield _named_event("content_block_stop", index=index)
            index += 1
        if turn.get("end", "done") != "done":
            return
        reason = "tool_use" if turn.get("tool_calls") else "end_turn"
        counted = self._counts(usage, usage["completion_tokens"])
        yield _named_event("message_delta", delta={"stop_reason": reason, "stop_sequence": None}, usage=counted)
        yield _named_event("message_stop")

    def whole(self, turn: Turn, body: dict[str, Any]) -> dict[str, Any]:
        """The same turn when it is not streamed."""
        usage = _usage(turn, body) or {"prompt_tokens": 0, "completion_tokens": 0}
        content = [{"type": "text", "text": "".join(_parts(turn.get("text")))}]
        counts = self._counts(usage, usage["completion_tokens"])
        return {**self._head(body), "content": content, "stop_reason": "end_turn", "usage": counts}

    @staticmethod
    def _head(body: dict[str, Any]) -> dict[str, Any]:
        shared = {"id": "m", "type": "message", "role": "assistant", "model": body["model"]}
        return {**shared, "stop_reason": None, "stop_sequence": None}

    @staticmethod
    def _counts(usage: dict[str, Any], output: int) -> dict[str, int]:
        return {"input_tokens": usage["prompt_tokens"], "output_tokens": output}


def _named_event(kind: str, **fields: Any) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n".encode()


async def _stream(writer: asyncio.StreamWriter, turn: Turn, pieces: Iterator[bytes], end: str) -> bool:
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
    writer.write(head)
    pace = turn.get("pace_ms", 0) / 1000
    if pace:
        for piece in pieces:
            await asyncio.sleep(pace)
            writer.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            await writer.drain()
    else:
        everything = b"".join(pieces)
        if everything:
            writer.write(b"%x\r\n%s\r\n" % (len(everything), everything))
        await writer.drain()
    if end == "stall":
        await asyncio.sleep(FOREVER)
    if end == "reset":
        return False
    writer.write(b"0\r\n\r\n")
    await writer.drain()
    return True


async def _json(writer: asyncio.StreamWriter, status: int, body: object, headers: dict[str, str] | None = None) -> bool:
    return await _send(writer, status, json.dumps(body).encode(), "application/json", headers)


async def _send(
    writer: asyncio.StreamWriter, status: int, body: bytes, media_type: str, headers: dict[str, str] | None = None
) -> bool:
    lines = [f"HTTP/1.1 {status} Scripted", f"content-type: {media_type}", f"content-length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    writer.write(("\r\n".join(lines) + "\r\n\r\n").encode() + body)
    await writer.drain()
    return True


def main() -> None:
    """Serve from the command line."""
    parser = argparse.ArgumentParser(description="A fake model server.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--host", default="127.0.0.1")
    arguments = parser.parse_args()

    fake = FakeModels()
    fake.announce = lambda port: print(port, flush=True)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(fake.serve(arguments.port, arguments.host))


if __name__ == "__main__":
    main()

"""Speaks to a server by the Model Context Protocol over streamable HTTP and makes its functions a tool's.

Each message is a request of its own through the guarded client. A server that has forgotten the session, after a restart or a
long pause, is greeted once more.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, cast, get_args

from integrations.outbound import Answer
from integrations.tools.base import Setup, Tool
from integrations.tools.calling import call, good
from mindloom.engine.errors import EngineError
from mindloom.engine.events import Effect
from mindloom.engine.ports import ToolContext, ToolError, ToolFunction
from mindloom.engine.spec import ToolInfo

VERSION = "2025-06-18"
MOST_FUNCTIONS = 200
MOST_PAGES = 20
MOST_CHARACTERS = 30_000


def tool_for(
    *,
    key: str,
    name: str,
    description: str,
    url: str,
    headers: Mapping[str, str],
    effects: Mapping[str, str],
    timeout: float,
) -> Tool:
    """The tool of a server. Its functions are asked of the server; `effects` says what they do where the server says it wrongly.

    A function that does not say what it does counts as one that executes. Raises `EngineError` when the server does not answer.
    """

    def functions(setup: Setup) -> list[ToolFunction]:
        session = _Session(name, url, headers, timeout)
        try:
            return [_function(session, one, effects) for one in session.listed()]
        except ToolError as error:
            raise EngineError(f"The tool “{name}” cannot be used now. {error}", permanent=False) from None

    return Tool(
        key=key,
        name=name,
        description=description,
        icon="blocks",
        effect="executes",
        ask_first="on",
        functions=functions,
    )


@dataclass
class _Session:
    """A conversation with a server."""

    name: str
    url: str
    headers: Mapping[str, str]
    timeout: float
    greeted: dict[str, str] = field(default_factory=dict)
    """The headers that go with every message after the greeting."""
    numbers: itertools.count[int] = field(default_factory=itertools.count)

    def listed(self) -> list[dict[str, Any]]:
        """What the server offers."""
        found: list[dict[str, Any]] = []
        cursor = None
        for _ in range(MOST_PAGES):
            page = self.ask("tools/list", {"cursor": cursor} if cursor else {})
            rows = page.get("tools")
            if not isinstance(rows, list):
                raise ToolError(f"{self.name} answers, but not with a list of functions. Check its address.")
            found += [one for one in rows if isinstance(one, dict) and isinstance(one.get("name"), str)]
            cursor = page.get("nextCursor")
            if not cursor or len(found) >= MOST_FUNCTIONS:
                break
        return found[:MOST_FUNCTIONS]

    def ask(self, method: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """The result of a request. Raises `ToolError` with the server's words, or ours."""
        for _ in range(2):
            if not self.greeted:
                self._greet()
            answer = self._send({"method": method, "params": dict(parameters), "id": next(self.numbers)})
            if answer.status != 404 or "mcp-session-id" not in self.greeted:
                break
            self.greeted = {}
        return self._result(answer)

    def _greet(self) -> None:
        hello = {
            "protocolVersion": VERSION,
            "capabilities": {},
            "clientInfo": {"name": "Mindloom", "version": "1"},
        }
        answer = self._send({"method": "initialize", "params": hello, "id": next(self.numbers)})
        agreed = self._result(answer).get("protocolVersion")
        self.greeted = {"mcp-protocol-version": agreed if isinstance(agreed, str) else VERSION}
        if session := answer.headers.get("mcp-session-id"):
            self.greeted["mcp-session-id"] = session
        good(self.name, self._send({"method": "notifications/initialized"}))

    def _send(self, message: dict[str, Any]) -> Answer:
        headers = {**self.headers, **self.greeted, "accept": "application/json, text/event-stream"}
        return call(self.url, method="POST", headers=headers, json={"jsonrpc": "2.0", **message}, seconds=self.timeout)

    def _result(self, answer: Answer) -> dict[str, Any]:
        for message in _messages(good(self.name, answer)):
            if isinstance(error := message.get("error"), dict):
                said = " ".join(str(error.get("message", "")).split())[:500]
                raise ToolError(f"{self.name} refused the request: {said or 'it does not say why'}.")
            if isinstance(result := message.get("result"), dict):
                return result
        raise ToolError(f"{self.name} does not answer as the Model Context Protocol wants it. Check its address.")


def _messages(answer: Answer) -> list[dict[str, Any]]:
    """The messages of an answer, which is JSON or a stream of events with JSON in them."""
    if answer.media_type == "text/event-stream":
        texts = [_data(event) for event in re.split(r"\r?\n\r?\n", answer.text)]
    else:
        texts = [answer.text]
    found: list[dict[str, Any]] = []
    for text in texts:
        try:
            value = json.loads(text) if text else None
        except (ValueError, RecursionError):
            continue
        found += [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, dict)]
    return found


def _data(event: str) -> str:
    lines = [line.removeprefix("data:").strip() for line in event.splitlines() if line.startswith("data:")]
    return "\n".join(lines)


def _function(session: _Session, offered: Mapping[str, Any], effects: Mapping[str, str]) -> ToolFunction:
    name = offered["name"]
    schema = offered.get("inputSchema")
    info = ToolInfo(
        # Models know functions by letters, digits, hyphens and underscores.
        name=re.sub(r"[^A-Za-z0-9_-]", "_", name)[:64],
        description=str(offered.get("description") or offered.get("title") or name)[:2_000],
        parameters=schema if isinstance(schema, dict) else {"type": "object", "properties": {}},
        effect=_effect(name, offered.get("annotations"), effects),
    )
    return ToolFunction(info=info, call=partial(_call, session, name))


def _effect(name: str, hints: Any, effects: Mapping[str, str]) -> Effect:
    """What the administrator says it does, else what the server hints, else the worst."""
    if effects.get(name) in get_args(Effect):
        return cast("Effect", effects[name])
    return "reads" if isinstance(hints, dict) and hints.get("readOnlyHint") is True else "executes"


def _call(session: _Session, name: str, arguments: dict[str, Any], context: ToolContext) -> str:
    result = session.ask("tools/call", {"name": name, "arguments": arguments})
    parts = result.get("content")
    text = "\n".join(_said(part) for part in parts if isinstance(part, dict)) if isinstance(parts, list) else ""
    if not text and "structuredContent" in result:
        text = json.dumps(result["structuredContent"], ensure_ascii=False)
    if len(text) > MOST_CHARACTERS:
        text = f"{text[:MOST_CHARACTERS]}\n\n[Cut here: the answer has {len(text):,} characters.]"
    if result.get("isError"):
        raise ToolError(text or f"{session.name} says that it did not work, and not why.")
    return text or "Done; the server says nothing about it."


def _said(part: Mapping[str, Any]) -> str:
    kind = part.get("type")
    if kind == "text":
        return str(part.get("text", ""))
    resource = part.get("resource")
    if isinstance(resource, dict):
        return str(resource.get("text") or f"[{resource.get('uri', 'a resource')}]")
    return f"[{kind}: {part.get('mimeType') or part.get('uri') or 'not shown'}]"

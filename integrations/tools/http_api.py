"""Calls an HTTP API: each operation that was chosen from its OpenAPI description becomes a function."""

from __future__ import annotations

import json
import re
from functools import partial
from typing import Any
from urllib.parse import quote, urlencode, urljoin, urlsplit

from integrations.outbound import Answer
from integrations.tools import openapi
from integrations.tools.base import ConfigField, OpenConnection, Setup, Tool, function
from integrations.tools.calling import call, good, web_address, with_query
from integrations.tools.markup import readable
from integrations.tools.openapi import DescriptionError, Operation, Parameter
from integrations.tools.probes import secret_header
from integrations.tools.wording import cut, shortened
from mindloom.engine.errors import EngineError
from mindloom.engine.ports import ToolContext, ToolError, ToolFunction

LONGEST_DESCRIPTION = 200_000
MOST_FUNCTIONS = 40
MOST_SHOWN = 30_000
_OURS = {
    "host",
    "content-length",
    "content-type",
    "transfer-encoding",
    "connection",
    "accept-encoding",
    "cookie",
    "authorization",
}


def _described(text: str) -> str:
    """A description that can be read, or nothing. Raises `ValueError` with a sentence."""
    text = text.strip()
    if text:
        openapi.operations(openapi.read(text))
    return text


def _address(text: str) -> str:
    return web_address(text) if text.strip() else ""


def _choice(text: str) -> str:
    if len(text) > 200:
        raise ValueError("The name of an operation is too long.")
    return text.strip()


def _functions(setup: Setup) -> list[ToolFunction]:
    """The chosen operations as functions; none when nothing is described yet."""
    text, url = str(setup.config.get("description") or ""), str(setup.config.get("url") or "")
    if not text and not url:
        return []
    try:
        description = openapi.read(text or _fetched(url))
        chosen = _chosen(openapi.operations(description), list(setup.config.get("operations") or []))
        base = _base(setup.connection, openapi.server(description), url)
    except (DescriptionError, ToolError, ValueError) as error:
        raise EngineError(
            f"The tool “HTTP API” cannot be used: {error} Open the agent and correct it under Tools."
        ) from None
    return [_function(one, base, setup.connection) for one in chosen]


def _fetched(url: str) -> str:
    return good("The address of the description", call(url, seconds=15.0)).text


def _base(connection: OpenConnection | None, server: str, url: str) -> str:
    base = connection.values["base_url"] if connection else urljoin(url, server) if url else server
    return web_address(base).rstrip("/")


def _chosen(operations: list[Operation], wanted: list[str]) -> list[Operation]:
    """Those that were named, as "listPets" or "GET /pets"; without names those that read."""
    if not wanted:
        return [one for one in operations if one.reads][:MOST_FUNCTIONS]
    known = {one.name.lower(): one for one in operations} | {
        f"{one.method} {one.path}".lower(): one for one in operations
    }
    plain = {re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_"): one for name, one in known.items()}
    found = {}
    for name in wanted[:MOST_FUNCTIONS]:
        one = known.get(name.lower()) or plain.get(re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_"))
        if one is None:
            there = ", ".join(operation.name for operation in operations[:20])
            raise DescriptionError(f"The description has no operation “{shortened(name, 60)}”. It has: {there}.")
        found[one.name] = one
    return list(found.values())


def _function(operation: Operation, base: str, connection: OpenConnection | None) -> ToolFunction:
    ours = _OURS | {name.lower() for name in (secret_header(connection.values) if connection else {})}
    taken = [one for one in operation.parameters if one.place != "header" or one.name.lower() not in ours]
    properties = {one.key: one.schema for one in taken}
    required = [one.key for one in taken if one.required]
    if operation.body is not None:
        properties["body"] = operation.body
        required += ["body"] if operation.body_required else []
    return function(
        operation.name,
        f"{operation.title.rstrip('.')}.",
        properties,
        partial(_call, operation, tuple(taken), base, connection),
        required=tuple(required),
        effect="reads" if operation.reads else "sends",
    )


def _call(
    operation: Operation, taken: tuple[Parameter, ...], base: str, connection: OpenConnection | None, arguments: dict[str, Any], context: ToolContext
) -> str:  # fmt: skip
    path, query, headers = operation.path, {}, {"accept": "application/json, text/*;q=0.8, */*;q=0.1"}
    for one in taken:
        value = arguments.get(one.key)
        if value is None:
            continue
        if one.place == "path":
            path = path.replace(f"{{{one.name}}}", _segment(one.name, value))
        elif one.place == "header":
            headers[one.name] = _line(one.name, value)
        else:
            query[one.name] = [_text(part) for part in value] if isinstance(value, list) else _text(value)
    url = with_query(f"{base}/{path.lstrip('/')}", query)
    sent = _sent(operation, arguments, headers) | {
        "headers": headers | (secret_header(connection.values) if connection else {})
    }
    answer = good(shortened(urlsplit(base).hostname, 100), call(url, method=operation.method, **sent))
    return _shown(answer)


def _sent(operation: Operation, arguments: dict[str, Any], headers: dict[str, str]) -> dict[str, Any]:
    body = arguments.get("body")
    if body is None or operation.body is None:
        return {}
    headers["content-type"] = operation.body_type
    if operation.body_type == "application/x-www-form-urlencoded":
        fields = body if isinstance(body, dict) else {}
        return {"content": urlencode({name: _text(value) for name, value in fields.items()}).encode()}
    return {"content": _text(body).encode() if operation.body_type == "text/plain" else json.dumps(body).encode()}


def _segment(name: str, value: Any) -> str:
    """A value inside the path, which it cannot leave."""
    text = _text(value)
    if text in {"", ".", ".."} or len(text) > 500:
        raise ToolError(f"“{shortened(text, 40)}” cannot stand in the address for `{name}`.")
    return quote(text, safe="")


def _line(name: str, value: Any) -> str:
    text = _text(value)
    if not text.isascii() or not text.isprintable() or len(text) > 1_000:
        raise ToolError(f"`{name}` is sent in a header, which takes one short line of ASCII.")
    return text


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _shown(answer: Answer) -> str:
    if not answer.body:
        return f"Done (HTTP {answer.status}); the answer is empty."
    if answer.media_type.endswith("json"):
        try:
            return cut(json.dumps(json.loads(answer.body), indent=1, ensure_ascii=False), MOST_SHOWN, "The answer")
        except (ValueError, RecursionError):
            return cut(answer.text, MOST_SHOWN, "The answer")
    if answer.media_type == "text/html":
        return cut(readable(answer.text)[1], MOST_SHOWN, "The answer")
    if answer.media_type.startswith("text/") or answer.media_type.endswith("xml"):
        return cut(answer.text, MOST_SHOWN, "The answer")
    return f"Done (HTTP {answer.status}). The answer is a file of the type {answer.media_type[:60] or 'unknown'} with {len(answer.body):,} bytes."


TOOL = Tool(
    key="http_api",
    name="HTTP API",
    description="Calls an HTTP API; each operation of its OpenAPI description becomes a function.",
    icon="plug",
    effect="sends",
    functions=_functions,
    connection="http_api",
    connection_optional=True,
    ask_first="on",
    config_fields=(
        ConfigField(
            name="description", label="OpenAPI description", kind="long", most=LONGEST_DESCRIPTION, check=_described,
            help="The description itself, as YAML or JSON. Or give its address.",
        ),
        ConfigField(name="url", label="Address of the description", help="Such as https://api.example.org/openapi.json", check=_address),
        ConfigField(
            name="operations", label="Operations", kind="lines", most=MOST_FUNCTIONS, check=_choice,
            help="Which may be called, one a line, such as listPets or GET /pets. Empty: those that only read.",
        ),
    ),
)  # fmt: skip

"""The tools of MCP servers, made from what administrators have set up. Only a run, or a check, calls the server."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import partial
from typing import Any

from features.queries import FEATURES, is_on
from integrations.models import McpServer
from integrations.queries import server_headers
from integrations.tools import mcp
from integrations.tools.base import Setup, Tool
from mindloom.engine.errors import EngineError
from mindloom.engine.events import Effect
from mindloom.engine.ports import ToolContext, ToolError, ToolFunction
from mindloom.engine.spec import ToolInfo
from mindloom.keyring import KeyringError
from mindloom.wall.pool import give_back

_KEY = re.compile(r"mcp-([A-Za-z0-9_-]{1,40})")
STRENGTH: tuple[Effect, ...] = ("reads", "writes", "sends", "executes")
"""Effects, the one that changes least first."""


@dataclass(frozen=True, kw_only=True)
class ServerTool(Tool):
    """The tool of a server. `remembered` is what the server offered when an administrator last checked it."""

    remembered: tuple[ToolInfo, ...] = ()


def has_key(key: str) -> bool:
    """Whether a tool with this key would be a server's."""
    return bool(_KEY.fullmatch(key))


def offered() -> list[Tool]:
    """The tools of the servers that may be used in the scope in force, by name."""
    return [_tool(server) for server in McpServer.objects.offered().order_by("name")]


def find(key: str) -> Tool | None:
    """The tool with this key, or None when its server is gone, switched off, or not for the scope in force."""
    server = McpServer.objects.offered().filter(slug=_slug(key)).first()
    return None if server is None else _tool(server)


def why_not(key: str) -> str:
    """Why the tool with this key cannot be used here, in a sentence; "" when no server has it."""
    server = McpServer.objects.filter(slug=_slug(key)).first()
    if server is None:
        return ""
    if not is_on("mcp_servers"):
        return FEATURES["mcp_servers"].refusal
    if not server.is_enabled:
        return (
            f"The MCP server “{server.name}” is switched off. Remove its tool from the agent, or ask an administrator."
        )
    return f"The MCP server “{server.name}” is not for this department. Remove its tool from the agent, or ask an administrator."


def secrets_of(key: str) -> list[str]:
    """The secrets that the functions of this tool send, for those who keep them out of logs. Raises `EngineError`."""
    server = McpServer.objects.filter(slug=_slug(key)).exclude(secret_sealed="").first()
    return [] if server is None else [_headers(server)[server.secret_header]]


def ask(server: McpServer) -> list[ToolFunction]:
    """What the server offers now. Raises `EngineError` with a sentence when it does not answer as it should."""
    return _asked(server, Setup(config={}))


def infos(stored: Sequence[Mapping[str, Any]]) -> tuple[ToolInfo, ...]:
    """Functions as they are kept with a server."""
    return tuple(ToolInfo(**one) for one in stored)


def _slug(key: str) -> str:
    found = _KEY.fullmatch(key)
    return found[1] if found else ""


def _tool(server: McpServer) -> ServerTool:
    def functions(setup: Setup) -> list[ToolFunction]:
        return _asked(server, setup)

    made = _made(server, server.headers)
    remembered = infos(server.functions)
    values = {field.name: getattr(made, field.name) for field in fields(made)}
    strongest = max((one.effect for one in remembered), key=STRENGTH.index, default=made.effect)
    return ServerTool(**(values | {"functions": functions, "remembered": remembered, "effect": strongest}))


def _asked(server: McpServer, setup: Setup) -> list[ToolFunction]:
    headers = _headers(server)
    give_back()  # the server may be slow, and nothing is asked of the database meanwhile
    made = _made(server, headers).functions(setup)
    secret = headers.get(server.secret_header, "") if server.secret_sealed else ""
    return [replace(one, call=partial(_masked, one.call, secret)) for one in made] if secret else made


def _masked(
    call: Callable[[dict[str, Any], ToolContext], str], secret: str, arguments: dict[str, Any], context: ToolContext
) -> str:
    """What the function says, without the server's key when the server repeats it."""
    try:
        return call(arguments, context).replace(secret, "•••")
    except ToolError as error:
        raise ToolError(str(error).replace(secret, "•••")) from None


def _made(server: McpServer, headers: Mapping[str, str]) -> Tool:
    return mcp.tool_for(
        key=server.key,
        name=server.name,
        description=server.description or f"What the MCP server {server.name} offers.",
        url=server.url,
        headers=dict(headers),
        effects=server.effects,
        timeout=float(server.timeout_seconds),
    )


def _headers(server: McpServer) -> dict[str, str]:
    try:
        return server_headers(server)
    except KeyringError as error:
        raise EngineError(f"{server.name}: {error}", kind="system_error") from None

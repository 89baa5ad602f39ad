"""The tool catalogue: what agents can be given, one module a tool."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from integrations.tools import (
    artifact,
    arxiv,
    calculator,
    calendar,
    charts,
    csv_table,
    data,
    dates,
    email,
    excel,
    feeds,
    hand_over,
    http_api,
    pdf,
    qr_code,
    servers,
    sql,
    text,
    translate,
    units,
    weather,
    web_page,
    web_search,
    webhook,
    wikipedia,
)  # fmt: skip
from integrations.tools.base import AskFirst, ConfigField, OpenConnection, Setup, Tool
from integrations.tools.connections import keeping_secrets
from mindloom.engine.errors import EngineError
from mindloom.engine.ports import ToolFunction
from mindloom.engine.spec import ToolInfo, ToolSpec

__all__ = [
    "AskFirst",
    "ConfigField",
    "OpenConnection",
    "Setup",
    "Tool",
    "allowed",
    "catalogue",
    "find",
    "functions",
    "infos",
    "is_remote",
    "secrets_of",
    "tool",
]

_MODULES = (
    web_page, web_search, wikipedia, feeds, arxiv, weather, csv_table, excel, sql, http_api, data, text, translate, calculator, units, dates,
    artifact, pdf, charts, calendar, qr_code, email, webhook, hand_over,
)  # fmt: skip
_CATALOGUE: dict[str, Tool] = {one.TOOL.key: one.TOOL for one in _MODULES}


def catalogue() -> list[Tool]:
    """Every tool, in the order in which people see them; after ours those of the MCP servers, which one query reads."""
    return [*_CATALOGUE.values(), *servers.offered()]


def allowed(tool: Tool, keys: Sequence[str] | None) -> bool:
    """Whether it may be used where only these tools may; None for all."""
    return keys is None or tool.key in keys


def find(key: str) -> Tool | None:
    """The tool with this key, or None."""
    return servers.find(key) if servers.has_key(key) else _CATALOGUE.get(key)


def tool(key: str) -> Tool:
    """The tool with this key. Raises `EngineError` for one that the catalogue does not have, or not here."""
    found = find(key)
    if found is None:
        sentence = servers.why_not(key) if servers.has_key(key) else ""
        raise EngineError(
            sentence or f"The tool “{key[:80]}” is not in the catalogue any more. Remove it from the agent."
        )
    return found


def is_remote(one: Tool) -> bool:
    """Whether it is the tool of an MCP server."""
    return isinstance(one, servers.ServerTool)


def infos(one: Tool) -> list[ToolInfo]:
    """What the functions of a tool look like. No server is called for it: of an MCP server's, what was last seen."""
    if isinstance(one, servers.ServerTool):
        return list(one.remembered)
    try:
        return [made.info for made in one.functions(Setup(config={}))]
    except EngineError:
        return []  # what it offers depends on how an agent sets it up


def secrets_of(spec: ToolSpec) -> list[str]:
    """The secrets beside its connection's that a tool sends, for those who keep them out of logs. Raises `EngineError`."""
    return servers.secrets_of(spec.key) if servers.has_key(spec.key) else []


def functions(spec: ToolSpec, connection: OpenConnection | None = None) -> Sequence[ToolFunction]:
    """The functions of a tool as the agent configured it, those that change something marked when a person is asked first, or once documents were read.

    Raises `EngineError` for an unknown tool, a bad configuration, or a connection that is missing or of another kind.
    """
    found = tool(spec.key)
    config, wrong = found.check_config(spec.config)
    if wrong:
        raise EngineError(
            f"The tool “{found.name}” is set up wrongly: {' '.join(wrong.values())} Open the agent and correct it."
        )
    missing = connection is None and not found.connection_optional
    if found.connection and (missing or (connection is not None and connection.kind != found.connection)):
        raise EngineError(f"The tool “{found.name}” needs a connection. Open the agent and choose one under Tools.")
    made = keeping_secrets(found.functions(Setup(config=config, connection=connection)), connection)
    if found.ask_first == "never":
        return made
    asks = spec.ask_first or found.ask_first == "always"
    return [
        replace(one, asks="approval" if asks else "", acts_outside=True) if one.info.effect != "reads" else one
        for one in made
    ]

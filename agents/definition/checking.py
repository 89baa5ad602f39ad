"""Checks and normalises a definition."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

from agents.definition.parts import AFTER_DOCUMENTS, SHARED_FIELDS, read_choice, read_shared, read_uuid
from agents.definition.reading import Findings
from agents.definition.variables import check_instructions
from integrations import tools
from mindloom.engine.spec import AgentSpec
from mindloom.web.errors import Invalid

MOST_TOOLS = 50
FIELDS = (*SHARED_FIELDS, "tools", "after_documents")
_TOOL_FIELDS = ("key", "config", "connection", "ask_first")
_LATER: dict[str, Any] = {
    "fallback_model": None,
    "buckets": [],
    "memory": {
        "storage": "none",
        "history_runs": 0,
        "person": False,
        "summary": False,
        "window": "stop",
        "offload": False,
    },
    "output": None,
    "reasoning": False,
    "language": "",
    "dates": False,
    "retries": 2,
    "after_documents": "ask",
}
_LATER_OF_TOOLS = {"connection": None, "ask_first": False}

Reader = Callable[[Any, Findings, bool], dict[str, Any]]
"""Reads a whole definition: what was given, where findings go, whether it must be complete."""


def blank() -> dict[str, Any]:
    """The definition of an agent that was just made."""
    return check({}, complete=False)


def check(definition: Any, *, complete: bool = True) -> dict[str, Any]:
    """The definition in its normal form. Raises `Invalid` with dotted field paths (`variables.0.name`).

    With `complete` false, a draft under way passes: instructions may be missing or use variables that are not declared yet,
    and settings may contradict each other.
    """
    return checked(read_agent, definition, complete=complete)


def problems(definition: Any) -> dict[str, list[str]]:
    """What keeps a definition from being published, by field path; empty when nothing does."""
    return found_in(read_agent, definition)


def checked(reader: Reader, definition: Any, *, complete: bool) -> dict[str, Any]:
    """What `reader` makes of a definition. Raises `Invalid` with all of its findings."""
    findings = Findings()
    normal = reader(definition, findings, complete)
    raise_findings(findings.fields)
    return normal


def found_in(reader: Reader, definition: Any) -> dict[str, list[str]]:
    """The findings of `reader` about a definition that must be complete."""
    findings = Findings()
    reader(definition, findings, True)
    return findings.fields


def raise_findings(fields: dict[str, list[str]]) -> None:
    """Raise `Invalid` with the first finding as its message, if there is one."""
    if not fields:
        return
    path, sentences = next(iter(fields.items()))
    more = f" ({len(fields) - 1} more)" if len(fields) > 1 else ""
    raise Invalid(f"{path}: {sentences[0]}{more}", fields=fields)


def upgraded(definition: dict[str, Any]) -> dict[str, Any]:
    """A stored definition with the settings that came later, at their defaults; nothing is checked."""
    tools_of = [{**_LATER_OF_TOOLS, **tool} for tool in definition.get("tools", [])]
    return {**blank(), **definition, **({"tools": tools_of} if "tools" in definition else {})}


def digest(definition: dict[str, Any]) -> str:
    """SHA-256 of a definition's content, the same for the same content.

    Settings that came later count only when they are set: what was published before them keeps its digest.
    """
    content = {name: value for name, value in definition.items() if name not in _LATER or value != _LATER[name]}
    if isinstance(content.get("tools"), list):
        content["tools"] = [
            {
                name: value
                for name, value in tool.items()
                if name not in _LATER_OF_TOOLS or value != _LATER_OF_TOOLS[name]
            }
            for tool in content["tools"]
        ]
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def read_agent(definition: Any, findings: Findings, complete: bool) -> dict[str, Any]:  # noqa: FBT001 -- a `Reader`
    """An agent's definition in its normal form."""
    given = findings.mapping("", definition, FIELDS)
    normal = read_shared(given, findings, complete=complete)
    normal["tools"] = _tools(given.get("tools"), findings, complete=complete)
    normal["after_documents"] = read_choice(
        "after_documents", given.get("after_documents"), AFTER_DOCUMENTS, findings, default=AgentSpec.after_documents
    )
    if complete and "instructions" not in findings.fields:
        check_instructions(normal, findings, missing="Say what the agent should do.")
    return normal


def _tools(value: Any, findings: Findings, *, complete: bool) -> list[dict[str, Any]]:
    normal: dict[str, dict[str, Any]] = {}
    for place, row in enumerate(findings.rows("tools", value, MOST_TOOLS)):
        path = f"tools.{place}"
        given = findings.mapping(path, row, _TOOL_FIELDS)
        key = findings.text(f"{path}.key", given.get("key"), 80)
        tool = tools.find(key)
        if tool is None:
            findings.add(f"{path}.key", "There is no such tool. Choose one of the catalogue.")
        elif key in normal:
            findings.add(f"{path}.key", f"{tool.name} is in the list twice.")
        else:
            config, wrong = tool.check_config(given.get("config"))
            for name, sentence in wrong.items():
                findings.add(f"{path}.config.{name}" if name else f"{path}.config", sentence)
            normal[key] = {
                "key": key,
                "config": config,
                "connection": _connection(path, given.get("connection"), tool, findings, complete=complete),
                "ask_first": _ask_first(path, given.get("ask_first"), tool, findings),
            }
    return [normal[key] for key in sorted(normal)]


def _connection(path: str, value: Any, tool: tools.Tool, findings: Findings, *, complete: bool) -> str | None:
    path = f"{path}.connection"
    chosen = read_uuid(path, value, findings, "Choose one of the connections.")
    if chosen and not tool.connection:
        findings.add(path, f"{tool.name} uses no connection. Leave this out.")
    needed = tool.connection and not tool.connection_optional
    if not chosen and needed and complete and path not in findings.fields:
        findings.add(path, f"{tool.name} works through a connection. Choose one.")
    return chosen if tool.connection else None


def _ask_first(path: str, value: Any, tool: tools.Tool, findings: Findings) -> bool:
    path = f"{path}.ask_first"
    wanted = findings.flag(path, value, default=tool.ask_first in {"on", "always"})
    if wanted and tool.ask_first == "never":
        findings.add(path, f"{tool.name} changes nothing outside, so there is nothing to ask. Switch this off.")
    if not wanted and tool.ask_first == "always":
        findings.add(path, f"{tool.name} always asks a person first. Leave this on.")
    return wanted

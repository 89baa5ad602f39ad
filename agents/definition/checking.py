"""Checks and normalises a definition."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any
from uuid import UUID

from django.conf import settings

from agents.definition.reading import Findings
from agents.definition.values import KINDS, check_default
from integrations import tools
from mindloom.engine.errors import EngineError
from mindloom.engine.prompt import variables_in
from mindloom.engine.spec import Limits
from mindloom.web.errors import Invalid

LONGEST_INSTRUCTIONS = 100_000
MOST_VARIABLES = 30
_MOST_CHOICES, _LONGEST_CHOICE = 50, 200
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_FIELDS = ("instructions", "model", "parameters", "variables", "tools", "limits", "markdown")
_VARIABLE_FIELDS = ("name", "label", "kind", "help", "required", "default", "choices")
PARAMETERS: dict[str, tuple[float, float, bool]] = {
    "temperature": (0, 2, False),
    "max_tokens": (1, 200_000, True),
    "top_p": (0.01, 1, False),
}
"""Lowest, highest, whole number or not."""
LIMITS: dict[str, tuple[int, int]] = {
    "seconds": (5, settings.RUN_MAX_SECONDS),
    "model_turns": (1, 200),
    "tool_calls": (0, 500),
    "tokens": (1_000, 10_000_000),
}


def blank() -> dict[str, Any]:
    """The definition of an agent that was just made."""
    return _normalised({}, Findings(), complete=False)


def check(definition: Any, *, complete: bool = True) -> dict[str, Any]:
    """The definition in its normal form. Raises `Invalid` with dotted field paths (`variables.0.name`).

    With `complete` false, a draft under way passes: instructions may be missing or use variables that are not declared yet.
    """
    findings = Findings()
    normal = _normalised(definition, findings, complete=complete)
    if findings.fields:
        path, sentences = next(iter(findings.fields.items()))
        more = f" ({len(findings.fields) - 1} more)" if len(findings.fields) > 1 else ""
        raise Invalid(f"{path}: {sentences[0]}{more}", fields=findings.fields)
    return normal


def problems(definition: Any) -> dict[str, list[str]]:
    """What keeps a definition from being published, by field path; empty when nothing does."""
    findings = Findings()
    _normalised(definition, findings, complete=True)
    return findings.fields


def digest(definition: dict[str, Any]) -> str:
    """SHA-256 of a definition's content, the same for the same content."""
    text = json.dumps(definition, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _normalised(definition: Any, findings: Findings, *, complete: bool) -> dict[str, Any]:
    given = findings.mapping("", definition, _FIELDS)
    parameters = findings.mapping("parameters", given.get("parameters"), PARAMETERS)
    read = {
        name: findings.number(f"parameters.{name}", parameters.get(name), low, high, whole=whole)
        for name, (low, high, whole) in PARAMETERS.items()
    }
    normal = {
        "instructions": findings.text("instructions", given.get("instructions"), LONGEST_INSTRUCTIONS).replace(
            "\r\n", "\n"
        ),
        "model": _model(given.get("model"), findings),
        "parameters": {name: value for name, value in read.items() if value is not None},
        "variables": _variables(given.get("variables"), findings, complete=complete),
        "tools": _tools(given.get("tools"), findings),
        "limits": _limits(given.get("limits"), findings),
        "markdown": findings.flag("markdown", given.get("markdown"), default=True),
    }
    if complete and "instructions" not in findings.fields:
        _instructions(normal, findings)
    return normal


def _model(value: Any, findings: Findings) -> str | None:
    if value is None or value == "":
        return None
    try:
        return str(UUID(value if isinstance(value, str) else str(value)))
    except ValueError:
        findings.add("model", "Choose one of the models, or none for the default.")
        return None


def _limits(value: Any, findings: Findings) -> dict[str, int]:
    given = findings.mapping("limits", value, LIMITS)
    normal: dict[str, int] = {}
    for name, (low, high) in LIMITS.items():
        number = findings.number(f"limits.{name}", given.get(name), low, high, whole=True)
        normal[name] = number if number is not None else min(getattr(Limits, name), high)
    return normal


def _tools(value: Any, findings: Findings) -> list[dict[str, Any]]:
    normal: dict[str, dict[str, Any]] = {}
    for place, row in enumerate(findings.rows("tools", value, 50)):
        path = f"tools.{place}"
        given = findings.mapping(path, row, ("key", "config"))
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
            normal[key] = {"key": key, "config": config}
    return [normal[key] for key in sorted(normal)]


def _variables(value: Any, findings: Findings, *, complete: bool) -> list[dict[str, Any]]:
    normal: list[dict[str, Any]] = []
    names: set[str] = set()
    for place, row in enumerate(findings.rows("variables", value, MOST_VARIABLES)):
        path = f"variables.{place}"
        variable = _variable(path, row, findings, complete=complete)
        name = variable["name"]
        if name and name in names:
            findings.add(f"{path}.name", f"Two variables are called {name}. Rename one.")
        names.add(name)
        normal.append(variable)
    return normal


def _variable(path: str, row: Any, findings: Findings, *, complete: bool) -> dict[str, Any]:
    given = findings.mapping(path, row, _VARIABLE_FIELDS)
    name = findings.text(f"{path}.name", given.get("name"), 40)
    if name and not _NAME.fullmatch(name):
        findings.add(
            f"{path}.name", "Use small letters, digits and underscores, beginning with a letter, such as due_date."
        )
    if not name and complete:
        findings.add(f"{path}.name", "Give the variable a name.")
    kind = given.get("kind") or "text"
    if not isinstance(kind, str) or kind not in KINDS:
        findings.add(f"{path}.kind", f"Choose one of: {', '.join(KINDS)}.")
        kind = "text"
    variable: dict[str, Any] = {
        "name": name,
        "label": findings.text(f"{path}.label", given.get("label"), 80) or name.replace("_", " ").capitalize(),
        "kind": kind,
        "help": findings.text(f"{path}.help", given.get("help"), 200),
        "required": findings.flag(f"{path}.required", given.get("required"), default=True),
        "default": None,
        "choices": _choices(path, given.get("choices"), findings) if kind == "choice" else [],
    }
    if kind == "choice" and complete and not variable["choices"] and f"{path}.choices" not in findings.fields:
        findings.add(f"{path}.choices", "List at least one choice.")
    if not (kind == "choice" and not variable["choices"]):
        variable["default"], wrong = check_default(variable, given.get("default"))
        if wrong:
            findings.add(f"{path}.default", wrong)
    return variable


def _choices(path: str, value: Any, findings: Findings) -> list[str]:
    rows = findings.rows(f"{path}.choices", value, _MOST_CHOICES)
    texts = [findings.text(f"{path}.choices", row, _LONGEST_CHOICE) for row in rows]
    return list(dict.fromkeys(text for text in texts if text))


def _instructions(normal: dict[str, Any], findings: Findings) -> None:
    if not normal["instructions"]:
        findings.add("instructions", "Say what the agent should do.")
        return
    try:
        used = variables_in(normal["instructions"])
    except EngineError as error:
        findings.add("instructions", error.message)
        return
    declared = {variable["name"] for variable in normal["variables"]}
    for name in used:
        if name not in declared:
            findings.add(
                "instructions",
                f"{{{{ {name} }}}} is used but not declared. Add a variable called {name}, or remove it.",
            )

"""Reads the variables that a definition declares, and checks those that its instructions use."""

from __future__ import annotations

import re
from typing import Any

from agents.definition.reading import Findings
from agents.definition.values import KINDS, check_default
from mindloom.engine.errors import EngineError
from mindloom.engine.prompt import variables_in

MOST_VARIABLES = 30
_MOST_CHOICES, _LONGEST_CHOICE = 50, 200
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_FIELDS = ("name", "label", "kind", "help", "required", "default", "choices")


def read_variables(value: Any, findings: Findings, *, complete: bool) -> list[dict[str, Any]]:
    """The declared variables in their normal form and in their order."""
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


def check_instructions(normal: dict[str, Any], findings: Findings, *, missing: str) -> None:
    """Finds instructions that are missing, cannot be read, or use variables that are not declared."""
    if not normal["instructions"]:
        findings.add("instructions", missing)
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


def _variable(path: str, row: Any, findings: Findings, *, complete: bool) -> dict[str, Any]:
    given = findings.mapping(path, row, _FIELDS)
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

"""What a template is."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from agents.definition import check, check_values
from integrations.tools import Tool, tool
from mindloom.engine.prompt import render

_LINES = re.compile(r"^- |^\w+(,\w+){2,}$|^Invoice ", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Variable:
    """A variable of a template; the fields are those of a definition's variables."""

    name: str
    label: str
    kind: str = "text"
    help: str = ""
    required: bool = True
    default: Any = None
    choices: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As a definition keeps it."""
        return {
            "name": self.name,
            "label": self.label,
            "kind": self.kind,
            "help": self.help,
            "required": self.required,
            "default": self.default,
            "choices": list(self.choices),
        }


@dataclass(frozen=True, kw_only=True)
class Template:
    """An agent to begin from, with an example of what to give it."""

    key: str
    name: str
    icon: str
    category: str
    description: str
    instructions: str
    sample_input: str
    variables: tuple[Variable, ...] = ()
    tools: tuple[str, ...] = ()
    sample_values: dict[str, Any] = field(default_factory=dict)
    temperature: float | None = None

    def __post_init__(self) -> None:
        """The sample is wrapped in the source, and pasted by people without breaks inside paragraphs."""
        object.__setattr__(self, "sample_input", _unwrapped(self.sample_input))
        object.__setattr__(self, "instructions", self.instructions.strip())

    @property
    def tool_list(self) -> list[Tool]:
        """The tools of the catalogue that it uses."""
        return [tool(key) for key in self.tools]

    @property
    def preview(self) -> str:
        """The instructions with the example's values filled in, as a run would see them."""
        definition = self.definition()
        return render(definition["instructions"], check_values(definition["variables"], self.sample_values))

    def definition(self) -> dict[str, Any]:
        """The checked definition of a new agent's draft."""
        return check(
            {
                "instructions": self.instructions,
                "variables": [variable.to_json() for variable in self.variables],
                "tools": [{"key": key, "config": {}} for key in self.tools],
                "parameters": {} if self.temperature is None else {"temperature": self.temperature},
            }
        )


def _unwrapped(text: str) -> str:
    """Paragraphs on one line each; lists and tables stay line by line."""
    paragraphs = text.strip().split("\n\n")
    return "\n\n".join(one if _LINES.search(one) else " ".join(one.split()) for one in paragraphs)

"""What a tool of the catalogue declares."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from mindloom.engine.events import Effect
from mindloom.engine.ports import ToolContext, ToolFunction
from mindloom.engine.spec import ToolInfo

Config = Mapping[str, Any]
AskFirst = Literal["never", "off", "on", "always"]
"""Whether a person is asked before the tool acts: it cannot be, it may be switched on, it is on unless switched off, always."""


@dataclass(frozen=True, kw_only=True)
class OpenConnection:
    """A connection, opened for one run: its settings and secrets by name. What is in it never leaves through a result.

    `secret_names` are the names of those values that are kept out of everything a run writes.
    """

    kind: str
    name: str
    values: Mapping[str, str]
    secret_names: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class Setup:
    """What a tool's functions are made from: the agent's configuration, and the connection that the tool needs."""

    config: Config
    connection: OpenConnection | None = None


@dataclass(frozen=True, kw_only=True)
class ConfigField:
    """A setting that the agent's builder fills in. `lines` is a list of texts, one a line in forms; `long` a text of many lines."""

    name: str
    label: str
    kind: Literal["text", "lines", "long"] = "text"
    help: str = ""
    most: int = 100
    """Characters of a long text, or lines of a list."""
    check: Callable[[str], str] = str.strip
    """Cleans one text or line. Raises `ValueError` with a sentence."""

    def read(self, value: Any) -> Any:
        """The clean value. Raises `ValueError` with a sentence."""
        if self.kind != "lines":
            if not isinstance(value, str | None):
                raise ValueError("This must be text.")
            return self._clean(value or "")
        if value is not None and (not isinstance(value, list) or not all(isinstance(line, str) for line in value)):
            raise ValueError("This must be a list of texts.")
        lines = [line for line in value or [] if line.strip()]
        if len(lines) > self.most:
            raise ValueError(f"There are {len(lines):,} lines; {self.most} are the most.")
        return list(dict.fromkeys(self._clean(line) for line in lines))

    def _clean(self, text: str) -> str:
        most = self.most if self.kind == "long" else 2_000
        if len(text) > most or not (self.kind == "long" or text.replace("\n", " ").isprintable()):
            raise ValueError("This is too long or has characters that cannot be shown.")
        return self.check(text)


@dataclass(frozen=True, kw_only=True)
class Tool:
    """A tool that agents may be given. `functions` makes its functions; it may raise `EngineError` when that cannot be done.

    `connection` is the kind of connection it needs, "" for none. Without one (catalogues ask so), `functions` still says what
    there would be.
    """

    key: str
    name: str
    description: str
    icon: str
    effect: Effect
    functions: Callable[[Setup], list[ToolFunction]]
    connection: str = ""
    connection_optional: bool = False
    """Whether it also works without its connection."""
    ask_first: AskFirst = "never"
    config_fields: tuple[ConfigField, ...] = ()
    needs_isolation: bool = False

    def check_config(self, given: Any) -> tuple[dict[str, Any], dict[str, str]]:
        """The normal configuration, and sentences by field name ("" for the whole) about what is wrong."""
        if given is not None and not isinstance(given, Mapping):
            return {}, {"": "This must be an object."}
        given = given or {}
        known = {field.name for field in self.config_fields}
        wrong = {str(name)[:80]: f"{self.name} has no such setting." for name in given if name not in known}
        config: dict[str, Any] = {}
        for field in self.config_fields:
            try:
                config[field.name] = field.read(given.get(field.name))
            except ValueError as error:
                wrong[field.name] = str(error)
        return config, wrong


def function(
    name: str,
    description: str,
    properties: dict[str, dict[str, Any]],
    call: Callable[[dict[str, Any], ToolContext], str],
    *,
    required: tuple[str, ...],
    effect: Effect = "reads",
) -> ToolFunction:
    """A function with its JSON schema; arguments that are not in it are refused."""
    parameters = {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }
    return ToolFunction(
        info=ToolInfo(name=name, description=description, parameters=parameters, effect=effect), call=call
    )

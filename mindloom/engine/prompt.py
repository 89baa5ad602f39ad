r"""Renders the variables of an agent's instructions.

`{{ name }}` stands for a variable. Names are letters, digits and underscores, and do not begin with a digit. To write
two braces themselves, put a backslash before them: `\{{ name }}` becomes `{{ name }}`. Everything else is left as it
is: single braces, JSON, code. Values are inserted as they are, once; braces inside a value stay text.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from mindloom.engine.errors import EngineError

_VARIABLE = re.compile(r"(\\)?\{\{\s*([^{}]*?)\s*\}\}")
_NAME = re.compile(r"[^\W\d]\w*")


class PromptError(EngineError):
    """The instructions cannot be rendered. The message names what is wrong."""


def render(template: str, variables: Mapping[str, Any]) -> str:
    """The template with its variables filled in. Raises `PromptError` for a name that is not among them."""

    def fill(match: re.Match[str]) -> str:
        escaped, name = match.groups()
        if escaped:
            return match.group(0)[1:]
        if name not in variables:
            known = ", ".join(sorted(variables)) or "none"
            message = f'The instructions use the variable "{name}", which does not exist. Known variables: {known}.'
            raise PromptError(message)
        return _readable(variables[name])

    return _VARIABLE.sub(fill, template)


def variables_in(template: str) -> tuple[str, ...]:
    """The names of a template's variables, each once, in order. Raises `PromptError` for a bad name."""
    names: dict[str, None] = {}
    for escaped, name in _VARIABLE.findall(template):
        if escaped:
            continue
        if not _NAME.fullmatch(name):
            message = (
                f'"{name}" cannot be the name of a variable: '
                "use letters, digits and underscores, and do not begin with a digit."
            )
            raise PromptError(message)
        names[name] = None
    return tuple(names)


def _readable(value: Any) -> str:  # noqa: PLR0911 - one for each type
    """A value as a person would write it: no `True`, no `None`, no `3.0`, dates as ISO 8601."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else str(value)
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, dt.datetime):
        return value.isoformat(sep=" ", timespec="minutes")
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, list | tuple | set):
        return ", ".join(_readable(item) for item in value)
    return str(value)

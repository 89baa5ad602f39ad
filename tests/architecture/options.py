"""The options that the code reads from the environment, with their kinds and defaults as docs/settings.md says them."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from tests.architecture.sources import modules, name, tree

READERS = {
    "flag": "true or false",
    "whole": "whole number",
    "number": "number",
    "text": "text",
    "words": "list",
    "choice": "choice",
    "networks": "networks",
    "url_text": "address",
    "path_part": "path part",
    "data_dir": "folder",
    "secret": "secret",
    "database": "secret",
    "redis": "secret",
    "key_ring": "secret",
    "bucket": "bucket name",
    "server": "host:port or path",
    "label": "small letters, digits, hyphens",
    "pairs": "key=value list",
    "tolerations": "JSON list",
    "handed": "path",
}
COMPUTED = "see right"
"""The default of an option whose default is worked out; its meaning says how."""


@dataclass(frozen=True)
class Option:
    """One row of the page."""

    name: str
    kind: str
    default: str


def options() -> list[Option]:
    """Everything that is read through `Environment`, in the order of the files."""
    found: dict[str, Option] = {}
    for path in modules():
        if name(path) == "mindloom/environment.py":
            continue
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in {f"env.{reader}" for reader in READERS}:
                option = _option(node)
                found.setdefault(option.name, option)
    return list(found.values())


def _option(call: ast.Call) -> Option:
    reader = ast.unparse(call.func).removeprefix("env.")
    kind = READERS[reader]
    values = {word.arg: _value(word.value) for word in call.keywords}
    if "low" in values:
        kind += f", {values['low']} to {values['high']}"
    if reader == "choice":
        kind = " or ".join(_value(call.args[2]))
    default = _shown(_value(call.args[1])) if len(call.args) > 1 else "none"
    return Option(
        ast.literal_eval(call.args[0]), kind, COMPUTED if kind == "secret" and len(call.args) > 1 else default
    )


def _value(node: ast.expr) -> object:
    try:
        return eval(compile(ast.Expression(node), "default", "eval"), {})  # numbers are written as products
    except NameError:
        return COMPUTED


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return ",".join(value) or "none"
    return str(value) or "none"

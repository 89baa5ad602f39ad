"""The project's own source, for tests that read it."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PACKAGES: list[str] = PROJECT["tool"]["importlinter"]["root_packages"]
APPS = [name for name in PACKAGES if name != "mindloom"]


def name(path: Path) -> str:
    """A path as people say it."""
    return path.relative_to(ROOT).as_posix()


@cache
def modules() -> tuple[Path, ...]:
    """Every Python file that runs in an installation, migrations left out."""
    found = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    return tuple(sorted(path for path in found if "migrations" not in path.parts))


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), str(path))


def calls(path: Path, function: str) -> Iterator[ast.Call]:
    """Calls of `function`, dotted as it is written ("wall.system", "record")."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == function:
            yield node


def literals(node: ast.expr) -> list[str]:
    """The texts that an expression can be, as far as they are written out."""
    return [one.value for one in ast.walk(node) if isinstance(one, ast.Constant) and isinstance(one.value, str)]


def table(page: str, heading: str) -> list[list[str]]:
    """The rows of the Markdown table under a heading of a page in docs/, without its head; backquotes are left out."""
    text = (ROOT / "docs" / page).read_text()
    _, found, rest = text.partition(f"\n{heading}\n")
    assert found, f"docs/{page} has no heading {heading!r}"
    rows = []
    for line in rest.splitlines():
        if line.startswith("#"):
            break
        if line.startswith("|"):
            rows.append([cell.strip().replace("`", "") for cell in line.strip("|").split("|")])
    return rows[2:]

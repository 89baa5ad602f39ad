"""Size budgets. Templates, scripts and stylesheets are in test_templates.py."""

from __future__ import annotations

import ast

import pytest

from tests.architecture.sources import ROOT, modules, name, tree

FILE_LINES = 400
FUNCTION_LINES = 50
# path, or path:function -> why it may be longer
LONGER: dict[str, str] = {}
OURS = sorted({*modules(), *(ROOT / "tests").rglob("*.py"), *(ROOT / "tools").glob("*.py")})


@pytest.mark.parametrize("path", OURS, ids=name)
def test_a_module_and_its_functions_stay_small(path):
    found = {}
    lines = len(path.read_text().splitlines())
    if lines > FILE_LINES:
        found[name(path)] = lines
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or 0) - node.lineno + 1
            if lines > FUNCTION_LINES:
                found[f"{name(path)}:{node.name}"] = lines
    assert {place: lines for place, lines in found.items() if place not in LONGER} == {}

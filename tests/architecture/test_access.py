"""Pages, API, sockets and admin reach the rows of departments through one door."""

from __future__ import annotations

import ast

import pytest
from django.apps import apps

from tests.architecture.sources import modules, name, tree

DOORS = {"visible_to", "editable_by", "runnable_by", "usable_by"}
TENANT_MODELS = {
    model.__name__
    for model in apps.get_models()
    if any(field.column == "department_id" for field in model._meta.concrete_fields)
}
SHORTCUTS = {"get_object_or_404", "get_list_or_404", "aget_object_or_404"}
BEHIND_THE_DOOR = ("views", "api", "consumers", "admin", "forms", "serializers", "pages", "shell", "middleware")
# file -> {what: why}
EXCEPTIONS: dict[str, dict[str, str]] = {}
FACES = [path for path in modules() if path.stem in BEHIND_THE_DOOR or path.parent.name in BEHIND_THE_DOOR]


def manager_of(node):
    """The tenant model whose manager the expression is ("Run" for `Run.objects`), else None."""
    if isinstance(node, ast.Attribute) and node.attr in {"objects", "_default_manager", "_base_manager"}:
        model = node.value.attr if isinstance(node.value, ast.Attribute) else getattr(node.value, "id", None)
        return model if model in TENANT_MODELS else None
    return None


def side_doors(module):
    """Uses of a tenant model's manager whose first step is no door, and tenant models handed to shortcuts."""
    entered = {
        id(node.value)
        for node in ast.walk(module)
        if isinstance(node, ast.Attribute) and node.attr in DOORS and manager_of(node.value)
    }
    for node in ast.walk(module):
        if (model := manager_of(node)) and id(node) not in entered:
            yield f"{model}.objects without a door, line {node.lineno}"
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in SHORTCUTS and node.args:
            first = node.args[0]
            if isinstance(first, ast.Name) and first.id in TENANT_MODELS:
                yield f"{first.id} handed to a shortcut, line {node.lineno}"


@pytest.mark.parametrize("path", FACES, ids=name)
def test_rows_of_departments_are_reached_through_a_door(path):
    allowed = EXCEPTIONS.get(name(path), {})
    assert [found for found in side_doors(tree(path)) if found.partition(",")[0] not in allowed] == []


@pytest.mark.parametrize(
    "bad",
    [
        "Run.objects.get(uuid=uuid)",
        "Run.objects.all()",
        "models.Run.objects.filter(pk=1).delete()",
        "rows = Run.objects",
        "Run._default_manager.create()",
        "get_object_or_404(Run, uuid=uuid)",
    ],
)
def test_the_check_sees_side_doors(bad):
    assert list(side_doors(ast.parse(bad)))


@pytest.mark.parametrize(
    "good",
    [
        "get_object_or_404(Run.objects.visible_to(user), uuid=uuid)",
        "Agent.objects.editable_by(user).filter(pk=1).exists()",
    ],
)
def test_the_check_lets_the_doors_through(good):
    assert not list(side_doors(ast.parse(good)))


def test_the_models_of_departments_are_known():
    assert {"Agent", "Run", "RunArtifact", "Membership", "Entry"} <= TENANT_MODELS

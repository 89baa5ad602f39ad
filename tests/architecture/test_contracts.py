"""What may import what, and which table may point to which."""

from __future__ import annotations

import ast
import subprocess
import sys
from importlib.metadata import packages_distributions

import pytest
from django.apps import apps
from django.db.models import ForeignKey, ManyToManyField

from tests.architecture.sources import APPS, PACKAGES, PROJECT, ROOT, modules, name, tree

LAYERS = [one for one in PROJECT["tool"]["importlinter"]["contracts"][0]["layers"] if one in APPS]
HTTP_CLIENTS = {
    "httpx",
    "requests",
    "urllib.request",
    "urllib3",
    "http.client",
    "aiohttp",
    "websockets",
    "ftplib",
    "smtplib",
}
MAY_CALL_OUT = {
    "integrations/outbound.py": "the guarded client that everything else uses",
    "integrations/tools/mail.py": "speaks SMTP through a socket that the guarded client connected",
    "mindloom/healthy.py": "asks the web process of its own container whether it lives",
    "mindloom/management/commands/run.py": "asks its own web process whether it is ready",
    "mindloom/smoke.py": "makes the journey through the address that its operator names, apart from the application",
    "runs/worker/pods/cluster.py": "speaks to the one Kubernetes of the settings, through its official client",
}


def imports(path):
    """Dotted names of what a module imports, wherever the statement stands."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def importers(wanted):
    """The modules that import one of the names, or something inside it."""
    return {
        name(path)
        for path in modules()
        for found in imports(path)
        if any(found == one or found.startswith(f"{one}.") for one in wanted)
    }


def test_the_import_contracts_hold():
    code = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True, no_logo=True))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_app_stands_in_the_contracts():
    ours = {config.label for config in apps.get_app_configs() if name_of_package(config) in PACKAGES}
    assert ours - {"mindloom"} == set(LAYERS) == set(APPS)


def name_of_package(config):
    return config.name.partition(".")[0]


def pointers():
    """(from app, to app, field) of every pointer between tables of ours, written as a class or as text."""
    for model in apps.get_models(include_auto_created=True):
        for field in [*model._meta.local_fields, *model._meta.local_many_to_many]:
            if isinstance(field, ForeignKey | ManyToManyField):
                yield model._meta.app_label, field.related_model._meta.app_label, f"{model.__name__}.{field.name}"


def test_tables_point_to_their_own_app_or_down():
    order = LAYERS[::-1]
    up = [
        f"{field} -> {target}"
        for app, target, field in pointers()
        if app in order and target in order and order.index(target) > order.index(app)
    ]
    assert up == []


def test_no_installed_distribution_claims_the_name_of_a_package_of_ours():
    claimed = packages_distributions()
    assert {one: claimed[one] for one in [*PACKAGES, "tests"] if one in claimed} == {}


def test_only_the_outbound_client_speaks_http():
    assert importers(HTTP_CLIENTS) == set(MAY_CALL_OUT)


def test_only_the_engine_speaks_to_model_providers_by_their_libraries():
    found = importers({"openai", "anthropic"})
    assert {one for one in found if not one.startswith("mindloom/engine/agno_adapter/")} == set()


def test_only_the_adapter_imports_agno():
    found = importers({"agno"})
    assert found
    assert {one for one in found if not one.startswith("mindloom/engine/agno_adapter/")} == set()


@pytest.mark.parametrize("package", APPS)
def test_models_override_no_save_and_send_no_signals(package):
    found = [
        f"{name(path)}:{node.lineno} {node.name}"
        for path in modules()
        if name(path).startswith((f"{package}/models.py", f"{package}/models/"))
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef) and node.name in {"save", "delete", "full_clean"}
    ]
    assert found == []

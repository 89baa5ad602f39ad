"""The application needs what its lock file installs, and nothing that only tests have."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.metadata import packages_distributions

import pytest

from tests.architecture.sources import ROOT, modules

IMPORT_ALL = """
import importlib, sys
absent = set(sys.argv[1].split())
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in absent:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Absent())
import django
django.setup()
for name in sys.argv[2:]:
    importlib.import_module(name)
"""
STARTS_SOMETHING = {"mindloom.asgi"}
"""Looks at the database when it is imported; what it imports, others import, too."""


def plain(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def locked(name):
    """The distributions of a lock file."""
    text = (ROOT / "requirements" / name).read_text()
    return {plain(found) for found in re.findall(r"^([\w.-]+)==", text, re.MULTILINE)}


def dotted(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@pytest.mark.parametrize("lock", ["base.txt", "server.txt"])
def test_every_module_is_imported_with_nothing_else_installed(lock):
    there = locked(lock)
    absent = {name for name, found in packages_distributions().items() if there.isdisjoint(plain(one) for one in found)}
    own = {dotted(path) for path in modules() if not {"tests", "tools"} & set(path.relative_to(ROOT).parts)}
    done = subprocess.run(
        [sys.executable, "-c", IMPORT_ALL, " ".join(absent), *sorted(own - STARTS_SOMETHING)],
        cwd=ROOT,
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "mindloom.settings"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-1500:]

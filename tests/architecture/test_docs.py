"""What the documents say is what the code does."""

from __future__ import annotations

import ast
import re
import subprocess
import sys

import pytest

from runs.signals import run_changed
from tests.architecture.options import options
from tests.architecture.sources import APPS, ROOT, calls, modules, name, table, tree

DOCS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
ADRS = sorted(ROOT.glob("docs/decisions/[0-9]*.md"))


def test_the_settings_page_lists_the_options_that_the_code_reads():
    written = [tuple(row[:3]) for row in table("settings.md", "## Options")]
    assert sorted(written) == sorted((one.name, one.kind, one.default) for one in options())


def test_every_option_says_what_it_means():
    assert [row[0] for row in table("settings.md", "## Options") if len(row[3]) < 10] == []


def test_options_are_read_by_the_typed_reader_only():
    allowed = {
        "mindloom/environment.py",
        "mindloom/supervisor.py",
        "mindloom/embedded.py",
        "mindloom/healthy.py",  # runs without anything but Python itself
        "mindloom/smoke.py",  # the same
        "mindloom/management/commands/run.py",
    }
    naming = 'os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mindloom.settings")'
    found = [
        f"{name(path)}:{number}"
        for path in modules()
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if re.search(r"os\.(environ|getenv)", line) and line.strip() != naming and name(path) not in allowed
    ]
    # Agno reads its own switch for telemetry from the environment.
    assert [one for one in found if not one.startswith("mindloom/engine/agno_adapter/agno_setup.py")] == []


def systems():
    """(file, reason) of every place that sees all departments."""
    for path in modules():
        if name(path).startswith("mindloom/wall/"):
            continue
        for call in calls(path, "wall.system"):
            assert len(call.args) == 1, f"{name(path)}:{call.lineno}"
            assert isinstance(call.args[0], ast.Constant), f"{name(path)}:{call.lineno} does not write its reason out"
            yield name(path), call.args[0].value


def test_every_place_that_sees_all_departments_is_in_the_page_of_the_wall():
    assert sorted(tuple(row) for row in table("wall.md", "## Places")) == sorted(set(systems()))


def test_nothing_enters_the_system_scope_by_another_name():
    other = re.compile(r"from mindloom\.wall import|import mindloom\.wall\b|everything=True|Scope\(.*True")
    found = [
        f"{name(path)}:{number}"
        for path in modules()
        if not name(path).startswith("mindloom/wall/")
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if other.search(line)
    ]
    assert found == []


def test_the_receivers_of_run_changed_are_in_the_architecture_page():
    registered = {
        f"{one.__module__}.{one.__qualname__}" for one in map(receiver, run_changed.receivers) if one is not None
    }
    assert {row[0] for row in table("architecture.md", "## The one seam")} == registered


def receiver(entry):
    """The function of one entry of a signal; None when it is gone."""
    found = entry[1]
    return (
        found()
        if hasattr(found, "__callback__") or type(found).__name__ in {"weakref", "ReferenceType", "WeakMethod"}
        else found
    )


def test_no_other_signal_is_sent_by_an_app():
    made = [name(path) for path in modules() if list(calls(path, "Signal"))]
    assert made == ["runs/signals.py"]


def test_the_module_names_of_the_page_are_those_of_the_contract():
    named = {word for row in table("architecture.md", "## Inside an app") for word in row[0].split()}
    outside = {"__init__", "apps", "migrations", "management"}
    used = {
        path.relative_to(ROOT).parts[1].removesuffix(".py") for path in modules() if name(path).split("/")[0] in APPS
    }
    assert used - outside <= named


def test_the_events_page_is_up_to_date():
    done = subprocess.run([sys.executable, "tools/write_event_docs.py", "--check"], cwd=ROOT, check=False)
    assert done.returncode == 0, "Run: make docs"


@pytest.mark.parametrize("page", DOCS, ids=name)
def test_links_of_a_page_lead_somewhere(page):
    targets = re.findall(r"\]\((?!https?://|#|mailto:)([^)#\s]+)", page.read_text())
    # The screenshot is taken from a running installation.
    missing = [one for one in targets if not (page.parent / one).exists() and not one.endswith(".png")]
    assert missing == []


@pytest.mark.parametrize("page", DOCS, ids=name)
def test_paths_that_a_page_names_exist(page):
    if "decisions" in page.parts or page.name in {"CHANGELOG.md", "events.md", "ui.md"}:
        return
    named = re.findall(
        r"`((?:mindloom|accounts|agents|audit|integrations|runs|tests|tools|templates|static|docs|requirements)/[\w./-]*\w/?)`",
        page.read_text(),
    )
    assert [one for one in named if not (ROOT / one).exists()] == []


@pytest.mark.parametrize("page", ADRS, ids=name)
def test_a_decision_is_short_and_says_what_was_rejected(page):
    text = page.read_text()
    assert re.match(rf"# {page.name[:4]} ", text)
    assert [one for one in ("## Context", "## Decision", "## Rejected alternatives") if one not in text] == []
    assert len(text.split()) <= 600


def test_decisions_are_numbered_without_gaps():
    assert [int(page.name[:4]) for page in ADRS] == list(range(1, len(ADRS) + 1))


def test_the_architecture_page_stays_short():
    assert len((ROOT / "docs" / "architecture.md").read_text().splitlines()) <= 160


def test_every_management_command_is_in_the_operations_page():
    commands = {path.stem for path in modules() if "commands" in path.parts and path.stem != "__init__"}
    text = (ROOT / "docs" / "operations.md").read_text()
    assert [one for one in sorted(commands) if f"manage.py {one}" not in text] == []


def test_every_make_target_of_the_documents_exists():
    targets = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {word for page in DOCS for word in re.findall(r"`make ([a-z-]+)", page.read_text())}
    assert named - targets == set()


def test_the_read_me_fits_one_screen():
    assert len((ROOT / "README.md").read_text().splitlines()) <= 70


def test_source_that_the_tests_read_can_be_parsed():
    assert all(tree(path) for path in modules())

"""The grammar of events and audit actions, and words that stand nowhere."""

from __future__ import annotations

import ast
import re
from dataclasses import FrozenInstanceError, fields, is_dataclass

import pytest

from mindloom.engine import events
from tests.architecture.sources import ROOT, calls, literals, modules, name

# Irregular participles that actions and events may use; regular ones end in -ed.
IRREGULAR = {"begun", "chosen", "given", "kept", "left", "made", "read", "sent", "set", "taken", "written", "reset"}
LASTING = {"run.waiting"}
"""The one event that begins a state which lasts until a person acts; "waited" would say that it is over."""
GRAMMAR = re.compile(r"[a-z]+(_[a-z]+)*\.[a-z]+(_[a-z]+)*")


def is_named_well(word):
    """`subject.past_participle`; what was done may name its object ("key_set", "made_default", "models_listed")."""
    parts = word.partition(".")[2].split("_")
    return bool(GRAMMAR.fullmatch(word)) and any(part.endswith("ed") or part in IRREGULAR for part in parts)


@pytest.mark.parametrize("kind", sorted(events.TYPES))
def test_an_event_is_named_for_what_happened(kind):
    cls = events.TYPES[kind]
    assert re.fullmatch(r"[a-z]+(_[a-z]+)?\.[a-z]+", kind)
    assert is_named_well(kind) or kind in LASTING
    assert is_dataclass(cls)
    assert cls.type == kind
    assert (cls.__doc__ or "").strip()


def test_an_event_never_changes():
    event = events.RunQueued(trigger="person")
    with pytest.raises(FrozenInstanceError):
        event.trigger = "api"


def test_every_event_class_is_in_the_vocabulary():
    assert set(events.Event.__subclasses__()) == set(events.TYPES.values())


def test_amounts_say_their_unit():
    bare = re.compile(r"(^|_)(duration|time|size|timeout|cost|age|delay)$")
    assert [
        f"{kind}.{one.name}" for kind, cls in events.TYPES.items() for one in fields(cls) if bare.search(one.name)
    ] == []


def audit_actions():
    """(place, action) of every `record(action=...)`; names of constants are followed inside their module."""
    for path in modules():
        for function in ("record", "services.record", "audit.record"):
            for call in calls(path, function):
                given = next((word.value for word in call.keywords if word.arg == "action"), None)
                place = f"{name(path)}:{call.lineno}"
                if isinstance(given, ast.JoinedStr):
                    yield from ((place, action) for action in filled_in(given))
                elif isinstance(given, ast.Name):
                    yield place, constant(path, given.id)
                elif given is not None:
                    yield from ((place, action) for action in literals(branches(given)))


def branches(node):
    """The outcomes of a conditional expression, without its condition."""
    if isinstance(node, ast.IfExp):
        return ast.Tuple([branches(node.body), branches(node.orelse)])
    return node


def filled_in(text):
    """An f-string with every outcome of its one conditional part."""
    outcomes = [""]
    for part in text.values:
        words = literals(branches(part.value)) if isinstance(part, ast.FormattedValue) else [part.value]
        outcomes = [outcome + word for outcome in outcomes for word in words]
    return outcomes


def constant(path, wanted):
    found = re.search(rf'^{wanted} = "([^"]+)"', path.read_text(), re.MULTILINE)
    assert found, f"{name(path)}: the action {wanted} is no text of this module"
    return found[1]


def test_audit_actions_are_named_for_what_was_done():
    found = list(audit_actions())
    assert len(found) > 30
    assert [f"{place} {action}" for place, action in found if not is_named_well(action)] == []


@pytest.mark.parametrize(
    "bad", ["run.start", "Run.started", "started", "run:started", "run.started.", "agent.publish_now"]
)
def test_the_grammar_refuses(bad):
    assert not is_named_well(bad)


# A letter in brackets keeps this file from holding what it forbids.
FORBIDDEN = {
    "a word that says nothing": r"(?<!service_completed_)success[f]ully",
    "work left undone": r"\b(T[O]DO|F[I]XME|X[X]X|H[A]CK)\b",
    "a path of one machine": r"(?<![\w.{}/-])/(wor[k]|roo[t]|hom[e]/\w+|User[s]/\w+)/",
    "the address of a package registry": r"pypi[.]org|pythonhosted[.]org|npmjs[.](org|com)|\bartifactor[y]\b|--index-ur[l]",
    "a number of an issue": r"\b(issue|ticket|PR) ?#\d+",
    "a debugger": r"\bbreakpoin[t]\(\)|pdb[.]set_trace",
}
SKIPPED = {
    ".git",
    ".venv",
    "data",
    "staticroot",
    "node_modules",
    "vendor",
    "__pycache__",
    ".mypy_cache",
    ".ruff_cache",
    ".pytest_cache",
}
TEXTS = sorted(
    path
    for pattern in (
        "*.py",
        "*.md",
        "*.html",
        "*.css",
        "*.js",
        "*.toml",
        "*.sh",
        "*.in",
        "*.txt",
        "*.yaml",
        "*.yml",
        "Makefile",
    )
    for path in ROOT.rglob(pattern)
    if not SKIPPED & set(path.relative_to(ROOT).parts)
)


@pytest.mark.parametrize(("what", "pattern"), FORBIDDEN.items(), ids=FORBIDDEN)
def test_some_words_stand_nowhere(what, pattern):
    forbidden = re.compile(pattern)
    found = [
        f"{name(path)}:{number}: {line.strip()[:100]}"
        for path in TEXTS
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1)
        if forbidden.search(line)
    ]
    assert found == []

"""The lint that keeps two releases able to work on the same tables finds what it is for."""

from __future__ import annotations

import pytest
from django.db import migrations, models

from tools import lint_migrations as lint

pytestmark = pytest.mark.django_db

HARMLESS = {
    "a new column that may be empty": migrations.AddField("run", "later", models.TextField(null=True)),
    "a new column that the database fills": migrations.AddField(
        "run", "later", models.TextField(default="", db_default="")
    ),
    "a new table": migrations.CreateModel(
        "Later", [("id", models.BigAutoField(primary_key=True)), ("name", models.TextField())]
    ),
}
CONTRACTING = {
    "DROPPING columns runs_run output": migrations.RemoveField("run", "output"),
    "RENAMING columns runs_run output": migrations.RenameField("run", "output", "answer"),
    "DROPPING table runs_runevent": migrations.DeleteModel("RunEvent"),
    "RENAMING tables runs_runevent": migrations.AlterModelTable("runevent", "runs_line"),
    "NOT NULL constraint on columns": migrations.AddField("run", "later", models.TextField(default="")),
    "ADDING unique constraint": migrations.AlterField(
        "run", "claimed_by", models.CharField(max_length=120, unique=True)
    ),
    "SQL that cannot be taken back": migrations.RunSQL("SELECT 1"),
}


def findings_of(operation, **attributes):
    """What is found when the next migration of runs is this operation."""
    loader = lint.on_disk()
    leaf = max(node for node in loader.graph.leaf_nodes() if node[0] == "runs" and "_squashed_" not in node[1])
    made = type("Migration", (migrations.Migration,), {"dependencies": [leaf], "operations": [operation], **attributes})
    planted = made("9999_planted", "runs")
    loader.disk_migrations["runs", "9999_planted"] = planted
    loader.graph.add_node(("runs", "9999_planted"), planted)
    loader.add_internal_dependencies(("runs", "9999_planted"), planted)
    loader.graph.add_dependency(planted, ("runs", "9999_planted"), leaf)
    return [one for one in lint.findings(loader, lint.released()) if one.startswith("runs.9999_planted")]


def test_the_migrations_of_this_release_can_be_borne_by_the_last():
    assert lint.findings(lint.on_disk(), lint.released()) == []


@pytest.mark.parametrize("what", HARMLESS)
def test_what_expands_is_let_through(what):
    assert findings_of(HARMLESS[what]) == []


@pytest.mark.parametrize("sentence", CONTRACTING)
def test_what_contracts_is_found(sentence):
    (found,) = findings_of(CONTRACTING[sentence])
    assert sentence in found
    assert "the release before cannot work with this" in found


def test_what_a_release_that_is_out_does_without_may_go():
    gone = migrations.RemoveField("run", "output")
    assert findings_of(gone, unused_since=lint.released()["releases"][-1]) == []
    (found,) = findings_of(gone, unused_since="2099.01")
    assert "unused_since = '2099.01', which is not out" in found


def test_a_release_is_noted_with_the_last_migration_of_each_app(tmp_path, monkeypatch):
    copied = tmp_path / "released.json"
    copied.write_text(lint.RELEASED.read_text())
    monkeypatch.setattr(lint, "RELEASED", copied)
    lint.note_release(lint.on_disk(), "2026.12")

    noted = lint.released()
    assert noted["releases"][-1] == "2026.12"
    assert noted["migrations"]["runs"] > "0009"
    assert lint.findings(lint.on_disk(), noted) == []

"""Whether the last release can still work on the tables as the next one needs them, so that both can run beside each other.

Looks at the migrations since the release that deploy/released.json names, by the SQL that they are: what the old code still uses may be
neither dropped nor renamed nor made stricter (expand first, contract a release later). A migration that contracts says so:

    class Migration(migrations.Migration):
        unused_since = "2026.11"

That must be a release which is out already, the first whose code does without what goes. The test suite does this; by hand it needs a
database, which quotes the values. `--release NAME` notes a new release.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

BASE = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(BASE))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mindloom.settings")

import django  # noqa: E402 -- the settings are named first

django.setup()

from django.db import connection  # noqa: E402 -- as above
from django.db.migrations.loader import MigrationLoader  # noqa: E402 -- as above
from django.db.migrations.operations import RunSQL  # noqa: E402 -- as above
from django_migration_linter.sql_analyser import PostgresqlAnalyser  # noqa: E402 -- as above

RELEASED = BASE / "deploy" / "released.json"
BACKWARD = "the release before cannot work with this"


def released() -> dict[str, Any]:
    """The releases that are out, oldest first, and the last migration of each app in the newest."""
    return dict(json.loads(RELEASED.read_text()))


def findings(loader: MigrationLoader, known: dict[str, Any]) -> list[str]:
    """A sentence for each migration since the release that the release cannot bear."""
    found = []
    for app, name in _since(loader, known["migrations"]):
        migration = loader.disk_migrations[app, name]
        problems = _problems(loader, migration)
        since = getattr(migration, "unused_since", None)
        if problems and since not in known["releases"]:
            told = f" It says unused_since = {since!r}, which is not out." if since else ""
            found.append(
                f"{app}.{name}: {'; '.join(problems)}: {BACKWARD}.{told} Add what is new now; take away in a later release "
                f"and say `unused_since` with the release that does without it."
            )
    return found


def _since(loader: MigrationLoader, last: dict[str, str]) -> list[tuple[str, str]]:
    """The migrations of our apps that come after the release's."""
    ours = {app for app, _ in loader.disk_migrations if (BASE / app / "migrations").is_dir()}
    return sorted(
        (app, name)
        for app, name in loader.disk_migrations
        if app in ours and "_squashed_" not in name and name > last.get(app, "")
    )


def _problems(loader: MigrationLoader, migration: Any) -> list[str]:
    before = loader.project_state((migration.app_label, migration.name), at_end=False)
    with connection.schema_editor(collect_sql=True, atomic=False) as editor:
        migration.apply(before, editor, collect_sql=True)
    statements = [line for line in editor.collected_sql if line and not line.startswith("--")]
    analyser = PostgresqlAnalyser([])
    analyser.analyse(statements)
    problems = [f"{issue.message} {issue.table or ''} {issue.column or ''}".strip() for issue in analyser.errors]
    if any(isinstance(one, RunSQL) and one.reverse_sql is None for one in migration.operations):
        problems.append("SQL that cannot be taken back")
    return problems


def on_disk() -> MigrationLoader:
    """All migrations as the files say; no database is asked."""
    return MigrationLoader(None, replace_migrations=False)


def note_release(loader: MigrationLoader, name: str) -> None:
    """Write down that this state of the code is a release."""
    known = released()
    newest = dict(sorted(_since(loader, {})))  # of each app the last one stays
    RELEASED.write_text(json.dumps({"releases": [*known["releases"], name], "migrations": newest}, indent=2) + "\n")


def main(arguments: list[str]) -> int:
    """Lint, or note a release."""
    loader = on_disk()
    if arguments[:1] == ["--release"]:
        note_release(loader, arguments[1])
        return 0
    found = findings(loader, released())
    for sentence in found:
        sys.stderr.write(sentence + "\n")
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

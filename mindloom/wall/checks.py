"""The system check that refuses to start where the wall would not hold."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.core.checks import ERROR, CheckMessage, Error
from django.core.checks import Warning as Caution
from django.db import DatabaseError, connections

from mindloom.environment import stop
from mindloom.wall.base import WallOpen
from mindloom.wall.pool import give_back

_OPEN_TABLES = """
SELECT c.relname FROM pg_class c
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'department_id' AND NOT a.attisdropped
WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace
AND NOT (c.relrowsecurity AND c.relforcerowsecurity) ORDER BY 1
"""


def check_wall(*, databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """E001: the role passes through row-level security. E002: a tenant table is not behind the wall."""
    found: list[CheckMessage] = []
    for alias in databases or ():
        try:
            with connections[alias].cursor() as cursor:
                cursor.execute(_OPEN_TABLES)
                open_tables = [name for (name,) in cursor.fetchall()]
        except WallOpen as error:
            found.append(Error(str(error), hint=error.hint, id="mindloom.E001"))
            continue
        except DatabaseError as error:
            return [Caution(f"The database cannot be asked about the wall: {error}", id="mindloom.W001")]
        if open_tables:
            found.append(
                Error(
                    f"Tables with a department but without forced row-level security: {', '.join(open_tables)}.",
                    hint="Add wall_table(...) to a migration and run manage.py migrate.",
                    id="mindloom.E002",
                )
            )
    return found


def refuse_open_wall() -> None:
    """Stop the process with a sentence when the wall would not hold. A database that is away is asked when it is first used."""

    def ask() -> list[CheckMessage]:
        try:
            return check_wall(databases=["default"])
        finally:
            give_back()

    # In a thread, because a web process starts inside its event loop, where Django refuses to wait for a database.
    with ThreadPoolExecutor(1) as thread:
        problems = [problem for problem in thread.submit(ask).result() if problem.level >= ERROR]
    if problems:
        stop(" ".join(f"{problem.msg} {problem.hint} ({problem.id})" for problem in problems))

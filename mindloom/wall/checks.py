"""The system check that refuses to start where the wall would not hold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Error
from django.core.checks import Warning as Caution
from django.db import DatabaseError, connections

_ROLE = "SELECT rolname, rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user"
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
                cursor.execute(_ROLE)
                role, is_superuser, bypasses = cursor.fetchone()
                cursor.execute(_OPEN_TABLES)
                open_tables = [name for (name,) in cursor.fetchall()]
        except DatabaseError as error:
            return [Caution(f"The database cannot be asked about the wall: {error}", id="mindloom.W001")]
        if is_superuser or bypasses:
            found.append(
                Error(
                    f"The database role {role!r} is not held back by row-level security, so departments could see each other.",
                    hint=f"ALTER ROLE {role} NOSUPERUSER NOBYPASSRLS; or use another role in DATABASE_URL.",
                    id="mindloom.E001",
                )
            )
        if open_tables:
            found.append(
                Error(
                    f"Tables with a department but without forced row-level security: {', '.join(open_tables)}.",
                    hint="Add wall_table(...) to a migration and run manage.py migrate.",
                    id="mindloom.E002",
                )
            )
    return found

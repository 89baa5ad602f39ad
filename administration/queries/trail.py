"""What of the audit trail a person may read, and the words it is found by."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from django.db import connection

from accounts.models import Department, Role, User
from accounts.queries import departments_where
from audit.models import Entry
from mindloom import wall

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from accounts.queries import Person
    from audit.models import EntryQuerySet

_ACTIONS = """
WITH RECURSIVE one AS (
 (SELECT action FROM audit_entry ORDER BY action LIMIT 1)
 UNION ALL
 SELECT (SELECT e.action FROM audit_entry e WHERE e.action > one.action ORDER BY e.action LIMIT 1) FROM one WHERE one.action IS NOT NULL
) SELECT action FROM one WHERE action IS NOT NULL"""


def readable_departments(user: Person) -> list[int]:
    """Ids of the departments whose trail the person may read; administrators read entries of no department, too."""
    return departments_where(user, Role.MANAGER)


@contextmanager
def reading_trail(user: User, departments: Collection[int]) -> Iterator[None]:
    """Let a manager see the trail of these departments, and an administrator the whole."""
    if user.is_administrator:
        with wall.system("administration: administrators read the audit trail of all departments"):
            yield
    else:
        with wall.tenant(departments):
            yield


def trail_of(user: User, departments: Iterable[int]) -> EntryQuerySet:
    """The entries that the person may read, newest first, inside `reading_trail`."""
    found = Entry.objects.newest_first()
    return found if user.is_administrator else found.filter(department_id__in=list(departments))


def known_actions() -> list[str]:
    """Every action that occurs, by name: looked up one after the other in the index, whatever the length of the trail."""
    with connection.cursor() as cursor:
        cursor.execute(_ACTIONS)
        return [action for (action,) in cursor.fetchall()]


def names_of_departments(entries: Iterable[Entry]) -> dict[int, str]:
    """Names by id of the departments that the entries happened in; archived ones, too."""
    wanted = {one.department_id for one in entries if one.department_id is not None}
    return dict(Department.objects.filter(pk__in=wanted).values_list("pk", "name"))

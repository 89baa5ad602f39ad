"""The wall between departments: which departments' rows the code that runs now may see.

Every tenant-owned table has row-level security, forced, with one policy: a row is visible when its `department_id` is in the
scope, or when the scope is `system`. With no scope there are no rows. The scope is a context variable; the database backend
beside this module (`base.py`) carries it to PostgreSQL before the next statement, whichever connection that uses.

    with wall.tenant([department.id]): ...          # one person's, run's or request's departments
    with wall.system("reaper: runs of all departments"): ...    # a named place that must see all
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True)
class Scope:
    """What may be seen: some departments, or, with `everything`, all rows."""

    departments: frozenset[int] = frozenset()
    everything: bool = False


NOTHING = Scope()
_current: ContextVar[Scope] = ContextVar("mindloom_scope", default=NOTHING)


def current() -> Scope:
    """The scope in force here."""
    return _current.get()


def enter(scope: Scope) -> None:
    """Put `scope` in force until the enclosing `tenant` or `system` block ends. For authentication inside a request."""
    _current.set(scope)


@contextmanager
def scoped(scope: Scope) -> Iterator[None]:
    """Put `scope` in force for the block."""
    before = _current.get()
    _current.set(scope)
    try:
        yield
    finally:
        _current.set(before)


@contextmanager
def tenant(departments: Iterable[int]) -> Iterator[None]:
    """See the rows of these departments (ids) and no others."""
    with scoped(Scope(departments=frozenset(departments))):
        yield


@contextmanager
def system(reason: str) -> Iterator[None]:
    """See all rows. `reason` is for the reader: every use is a place to think about."""
    if not reason:
        message = "Say why this code must see all departments."
        raise ValueError(message)
    with scoped(Scope(everything=True)):
        yield

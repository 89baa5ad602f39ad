"""The connection pool, for threads that are no requests."""

from __future__ import annotations

from django.db import connection


def give_back() -> None:
    """Return this thread's connection to the pool, so that many waiting runs need few; inside a transaction it stays."""
    if not connection.in_atomic_block:
        connection.close()

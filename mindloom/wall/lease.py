"""A lease: of all processes that ask for it, one holds it, as long as its session with the database lives."""

from __future__ import annotations

from django.db import connection


class Lease:
    """An advisory lock of PostgreSQL, kept by this thread's connection; nobody has to release it."""

    def __init__(self, number: int, hangs_after: str) -> None:
        """`hangs_after` is an interval of PostgreSQL: whoever asks nothing for so long loses its session, and the lease."""
        self._number = number
        self._hangs_after = hangs_after

    def is_ours(self) -> bool:
        """Whether this thread holds it; it is taken when it is free."""
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) > 0 FROM pg_locks WHERE locktype = 'advisory' AND objid = %s AND pid = pg_backend_pid()",
                [self._number],
            )
            if cursor.fetchone()[0]:
                return True
            # One that hangs says nothing; PostgreSQL then ends its session, so that another can take over.
            cursor.execute("SELECT set_config('idle_session_timeout', %s, false)", [self._hangs_after])
            cursor.execute("SELECT pg_try_advisory_lock(%s)", [self._number])
            return bool(cursor.fetchone()[0])

    def let_go(self) -> None:
        """End the session that holds the lease: in the pool, another thread would take it up and hold it without working."""
        if connection.connection is not None:
            connection.connection.close()
        connection.close()

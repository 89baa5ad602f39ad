"""PostgreSQL backend that carries the scope to the server (`ENGINE = "mindloom.wall"`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from django.core.management.base import SystemCheckError
from django.db import OperationalError
from django.db.backends.postgresql import base
from psycopg.pq import TransactionStatus

from mindloom import wall

_APPLY = "SELECT set_config('mindloom.departments', %s, false), set_config('mindloom.system', %s, false)"
_ROLE = "SELECT rolname, rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user"


class WallOpen(SystemCheckError):
    """The database's role passes through row-level security; `hint` says what to do."""

    def __init__(self, role: str) -> None:
        super().__init__(
            f"The database role {role!r} is not held back by row-level security, so departments could see each other."
        )
        self.hint = f"ALTER ROLE {role} NOSUPERUSER NOBYPASSRLS; or use another role in DATABASE_URL."


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's own wrapper, which sets the scope before the next cursor whenever it differs from the connection's."""

    _held_back: ClassVar[set[tuple[Any, ...]]] = set()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._applied: wall.Scope | None = None
        self._last_acts: dict[Callable[[Any, list[Any]], None], list[Any]] = {}

    def before_commit(self, act: Callable[[Any, list[Any]], None], item: Any) -> None:
        """Call `act` with this connection and all items that were given for it, as the last thing of the transaction under way.

        What it raises rolls the transaction back. Items of a savepoint that went back are among them.
        """
        self._last_acts.setdefault(act, []).append(item)

    def _commit(self) -> None:
        try:
            while self._last_acts:
                act, items = self._last_acts.popitem()
                act(self, items)
        except BaseException:
            # Django rolls back for errors of the database only.
            self._rollback()
            raise
        super()._commit()  # type: ignore[misc]

    def init_connection_state(self) -> None:
        """A connection fresh from the pool has an unknown scope."""
        self._applied = None
        super().init_connection_state()
        self._refuse_open_wall()

    def _refuse_open_wall(self) -> None:
        """Every door to the rows leads through here, so here a role that sees them all is turned away. Asked once a process."""
        login = tuple(self.settings_dict[name] for name in ("HOST", "PORT", "USER"))
        if login in self._held_back or self.connection is None:
            return
        role, passes = self.connection.execute(_ROLE).fetchone()
        if passes:
            self.close()
            raise WallOpen(role)
        self._held_back.add(login)

    def _cursor(self, name: str | None = None) -> Any:
        self.ensure_connection()
        try:
            self._apply_scope()
        except OperationalError:
            if self.in_atomic_block or self._applied is not None:
                raise
            # Fresh from the pool and dead: the server was restarted meanwhile. Nothing was done yet, so nobody need know.
            self.close()
            if self.pool is not None:
                self.pool.check()
            self.ensure_connection()
            self._apply_scope()
        return super()._cursor(name)  # type: ignore[misc]

    def _apply_scope(self) -> None:
        scope = wall.current()
        raw = self.connection
        if scope == self._applied or raw is None:
            return
        # A failed transaction takes no statement but its end; the scope follows with the next cursor after that.
        if raw.info.transaction_status == TransactionStatus.INERROR:
            return
        departments = "{" + ",".join(str(one) for one in sorted(scope.departments)) + "}"
        with self.wrap_database_errors:
            raw.execute(_APPLY, (departments, "on" if scope.everything else "off"))
        self._applied = scope

    # A setting made inside a transaction goes back with it, so after any rollback the connection's scope is unknown.

    def _rollback(self) -> None:
        self._applied = None
        self._last_acts.clear()
        super()._rollback()  # type: ignore[misc]

    def _savepoint_rollback(self, sid: str) -> None:
        super()._savepoint_rollback(sid)  # type: ignore[misc]
        self._applied = None

    def _close(self) -> None:
        self._applied = None
        self._last_acts.clear()
        super()._close()  # type: ignore[misc]

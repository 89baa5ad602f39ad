"""PostgreSQL backend that carries the scope to the server (`ENGINE = "mindloom.wall"`)."""

from __future__ import annotations

from typing import Any

from django.db.backends.postgresql import base
from psycopg.pq import TransactionStatus

from mindloom import wall

_APPLY = "SELECT set_config('mindloom.departments', %s, false), set_config('mindloom.system', %s, false)"


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's own wrapper, which sets the scope before the next cursor whenever it differs from the connection's."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._applied: wall.Scope | None = None

    def init_connection_state(self) -> None:
        """A connection fresh from the pool has an unknown scope."""
        self._applied = None
        super().init_connection_state()

    def _cursor(self, name: str | None = None) -> Any:
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
        raw.execute(_APPLY, (departments, "on" if scope.everything else "off"))
        self._applied = scope

    # A setting made inside a transaction goes back with it, so after any rollback the connection's scope is unknown.

    def _rollback(self) -> None:
        self._applied = None
        super()._rollback()  # type: ignore[misc]

    def _savepoint_rollback(self, sid: str) -> None:
        super()._savepoint_rollback(sid)  # type: ignore[misc]
        self._applied = None

    def _close(self) -> None:
        self._applied = None
        super()._close()  # type: ignore[misc]

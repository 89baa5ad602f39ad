"""Writing the audit trail."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any, Protocol

from django.db import connection, transaction

from audit.models import Entry
from audit.services.chaining import chain
from mindloom import wall

PLATFORM = "Mindloom"
LONGEST = 500
"""Characters of a text in `before` and `after`."""
remote_address: ContextVar[str | None] = ContextVar("remote_address", default=None)
"""Where the request under way came from; set by the request middleware."""
door: ContextVar[str] = ContextVar("door", default="")
"""How it came in: page, api or admin; empty for what the platform does by itself."""
user_agent: ContextVar[str] = ContextVar("user_agent", default="")
"""What the program that asks calls itself."""


class Actor(Protocol):
    """A person, as far as the audit trail is concerned; without a `pk` only an address that somebody typed."""

    @property
    def pk(self) -> Any:
        """The row's id, or None."""

    @property
    def email(self) -> str:
        """The address."""


class Target(Protocol):
    """A row with an identity outside."""

    @property
    def pk(self) -> Any:
        """The row's id."""


def record(
    *, actor: Actor | None, action: str, target: Target | None = None, department_id: int | None = None, **data: Any
) -> Entry:
    """Add one entry. `actor` None means the platform itself; `data` is JSON without secrets.

    The department is the target's own where it has one. The entry is chained when the transaction under way commits.
    """
    # Django documents _meta for use from outside.
    kind = target._meta.model_name if target is not None else ""  # type: ignore[attr-defined]  # noqa: SLF001
    with (
        transaction.atomic(savepoint=False),
        wall.system("audit: entries without a department are seen by administrators only"),
    ):
        entry = Entry.objects.create(
            action=action,
            actor_id=actor.pk if actor is not None else None,
            actor_label=_plain(actor.email)[:254] if actor is not None else PLATFORM,
            department_id=department_id or getattr(target, "department_id", None),
            target_kind=kind or "",
            target_id=str(getattr(target, "uuid", target.pk)) if target is not None else "",
            target_label=_plain(str(target))[:254] if target is not None else "",
            data=_plain(data),
            ip_address=remote_address.get() or None,
            door=door.get(),
            user_agent=_plain(user_agent.get())[:200],
        )
        connection.before_commit(chain, entry.pk)  # type: ignore[attr-defined] # of the backend `mindloom.wall`
    return entry


def difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """`before` and `after` of what differs, for the data of an entry: values that JSON has, long texts cut.

    Leave out what is secret; say by name that it changed.
    """
    names = [name for name in after if before.get(name) != after[name]]
    return {
        "before": {name: _kept(before.get(name)) for name in names},
        "after": {name: _kept(after[name]) for name in names},
    }


def _kept(value: Any) -> Any:
    if isinstance(value, str):
        return value if len(value) <= LONGEST else f"{value[:LONGEST]}… ({len(value):,} characters)"
    if isinstance(value, Mapping):
        return {str(name): _kept(one) for name, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_kept(one) for one in value]
    return value if value is None or isinstance(value, bool | int | float) else str(value)


def _plain(value: Any) -> Any:
    """The value without characters that the database cannot keep; what a stranger typed may hold them."""
    if isinstance(value, str):
        return value.replace("\x00", "").encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {_plain(name): _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value

"""Writing the audit trail."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any, Protocol

from audit.models import Entry
from mindloom import wall

PLATFORM = "Mindloom"
remote_address: ContextVar[str | None] = ContextVar("remote_address", default=None)
"""Where the request under way came from; set by the request middleware."""


class Actor(Protocol):
    """A person, as far as the audit trail is concerned."""

    pk: Any
    email: str


class Target(Protocol):
    """A row with an identity outside."""

    pk: Any


def record(
    *, actor: Actor | None, action: str, target: Target | None = None, department_id: int | None = None, **data: Any
) -> Entry:
    """Add one entry. `actor` None means the platform itself; `data` is JSON without secrets.

    The department is the target's own where it has one.
    """
    kind = target._meta.model_name if target is not None else ""  # type: ignore[attr-defined]
    with wall.system("audit: entries without a department are seen by administrators only"):
        return Entry.objects.create(
            action=action,
            actor_id=actor.pk if actor is not None else None,
            actor_label=actor.email if actor is not None else PLATFORM,
            department_id=department_id or getattr(target, "department_id", None),
            target_kind=kind or "",
            target_id=str(getattr(target, "uuid", target.pk)) if target is not None else "",
            target_label=str(target)[:254] if target is not None else "",
            data=data,
            ip_address=remote_address.get(),
        )

"""What only administrators may do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mindloom.web.errors import NotAllowed

if TYPE_CHECKING:
    from accounts.models import User


def check_administrator(actor: User) -> None:
    """Raise `NotAllowed` for everybody else."""
    if not actor.is_administrator:
        raise NotAllowed("Only administrators may do this.")

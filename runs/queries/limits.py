"""How many runs may be under way at once."""

from __future__ import annotations

from runs.models import Priority

SHARE_FOR_PEOPLE = 4
"""Of each limit the fourth part is kept for people: runs in the background may use the rest."""

ALLOWED_SQL = (
    "CASE WHEN g.priority < %(people)s AND {0} > 1 "
    f"THEN {{0}} - greatest(1, {{0}} / {SHARE_FOR_PEOPLE}) ELSE {{0}} END"
)
"""`allowed` for a claim; the limit goes where {0} stands."""


def allowed(limit: int, priority: int) -> int:
    """What runs of this priority may use of a limit."""
    if priority >= Priority.PEOPLE or limit <= 1:
        return limit
    return limit - max(1, limit // SHARE_FOR_PEOPLE)

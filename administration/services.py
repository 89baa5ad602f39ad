"""What is noted when the trail is read or taken away."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.core.cache import cache
from django.utils.text import slugify
from redis.exceptions import RedisError

from audit.services import record

if TYPE_CHECKING:
    from accounts.models import User

LOOK_SECONDS = 15 * 60


def note_export(*, actor: User, department_id: int | None, query: str, form: str) -> None:
    """Somebody takes entries of the trail away, filtered so."""
    record(actor=actor, action="audit.exported", department_id=department_id, query=query[:1000], form=form)


def note_look(*, actor: User, what: str) -> None:
    """An administrator looks at rows of all departments. One trace for each kind of rows and quarter of an hour."""
    try:
        first = cache.add(f"looked:{actor.pk}:{slugify(what)}", 1, LOOK_SECONDS)
    except RedisError:
        first = True
    if first:
        record(actor=actor, action="departments.looked_into", what=what, scope="all departments")

"""What a run finds in content buckets: only what the person who runs may read at that moment."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from django.db import DatabaseError

from accounts.models import User
from buckets.queries import readable, search
from mindloom.engine.ports import Passage, ToolError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runs.models import Run

logger = logging.getLogger(__name__)

AWAY = "The documents cannot be searched at the moment. Say so, and go on without them."


def retrieve(run: Run, query: str, limit: int, buckets: Sequence[str]) -> list[Passage]:
    """Passages for a question, best first. Inside the run's scope. Raises `ToolError` when the database does not answer."""
    try:
        # Read anew each time: roles are remembered on the person's object, and may have changed since the run began.
        person = User.objects.filter(pk=run.started_by_id, is_active=True).first()
        hits = search(readable(person, buckets), query, limit) if person is not None else []
    except DatabaseError:
        logger.exception("Run %s could not search", run.pk)
        raise ToolError(AWAY) from None
    return [
        Passage(
            text=hit.text,
            document=hit.document_name,
            location=hit.location,
            score=hit.score,
            bucket=str(hit.bucket),
            document_id=str(hit.document),
            version=hit.version,
            page=hit.page,
        )
        for hit in hits
    ]

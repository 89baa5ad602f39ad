"""What the scheduler does for buckets: wake workers up, and clear away what nothing needs: stored files and passages."""

from __future__ import annotations

import logging
from contextlib import suppress
from datetime import timedelta

from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from buckets import tasks, worker
from buckets.models import Chunk, Content, Generation, GenerationState, State, Version
from mindloom import wall

logger = logging.getLogger(__name__)

UNUSED_FOR = timedelta(hours=1)
"""A content that was just received has no version for a moment."""
_AT_ONCE = 100


def sweep_documents() -> None:
    """Wake a worker up when files wait that nobody works on: a message was lost, or a worker died."""
    _settle()
    if worker.waiting():
        tasks.wake()
    _clear_dissolved()
    _clear_unused()


def _settle() -> None:
    """Generations whose last file was made by a worker that died before it could say so, or whose model was away."""
    with wall.system("sweeper: generations of all departments that are complete"):
        rows = Generation.objects.filter(state=GenerationState.BUILDING).values_list("pk", "department_id")
        building = list(rows)
    for pk, department in building:
        with wall.tenant([department]):
            worker.settle(pk)


def _clear_dissolved() -> None:
    """Passages of generations that were thrown away, and rows of versions that say nothing any more."""
    with wall.system("sweeper: passages of all departments that no generation has"):
        gone = Version.objects.filter(generation=None, state=State.REPLACED, chunk_count__gt=0).order_by("pk")
        for pk in list(gone.values_list("pk", flat=True)[:_AT_ONCE]):
            Chunk.objects.filter(version=pk).delete()
            Version.objects.filter(pk=pk).update(chunk_count=0)
            same = Version.objects.filter(document=OuterRef("document"), number=OuterRef("number"))
            Version.objects.filter(Exists(same.exclude(generation=None)), pk=pk).delete()


def _clear_unused() -> None:
    used = Version.objects.filter(content=OuterRef("pk"))
    with wall.system("sweeper: stored files of documents of all departments that no document needs"):
        unused = Content.objects.filter(~Exists(used), created_at__lt=timezone.now() - UNUSED_FOR)
        for pk in unused.order_by("pk").values_list("pk", flat=True)[:_AT_ONCE]:
            with transaction.atomic():
                # Locked: whoever receives the same file again waits, then finds it gone and stores it anew.
                content = Content.objects.select_for_update().filter(~Exists(used), pk=pk).first()
                if content is None:
                    continue
                try:
                    default_storage.delete(content.path)
                except Exception as error:  # noqa: BLE001 -- every storage has errors of its own
                    logger.warning("The file %s could not be removed now: %s", content.path, error)
                    continue
                with suppress(Exception):
                    content.delete()

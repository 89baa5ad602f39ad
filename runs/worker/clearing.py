"""Removes what is old: whole runs, files, pieces of texts whose whole stays. Small steps, each a short transaction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Now

from mindloom import wall
from runs.models import TERMINAL_STATES, Conversation, Run, RunArtifact, RunEvent, StrayFile
from runs.worker.files import remove

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runs.models.event import RunArtifactQuerySet
    from runs.models.run import RunQuerySet

RUNS_AT_ONCE = 20
STRAYS_AT_ONCE = 200
STRAY_AFTER = timedelta(hours=1)
"""A file that is being saved has its row long before."""

_ALLOW = "SELECT set_config('mindloom.removing_runs', %s, true)"
_PRUNE = """
WITH whole AS (
    SELECT run_id, replace(type, 'completed', 'added') AS type, source, data -> 'block' AS block, max(seq) AS seq
    FROM runs_runevent WHERE run_id = ANY(%(runs)s) AND type IN ('content.completed', 'reasoning.completed')
    GROUP BY 1, 2, 3, 4
), gone AS (
    DELETE FROM runs_runevent piece USING whole
    WHERE piece.run_id = ANY(%(runs)s) AND piece.type IN ('content.added', 'reasoning.added')
      AND piece.run_id = whole.run_id AND piece.type = whole.type AND piece.source = whole.source
      AND piece.data -> 'block' = whole.block AND piece.seq < whole.seq
    RETURNING piece.run_id
), counted AS (SELECT old.id, count(gone.run_id) AS pieces FROM unnest(%(runs)s::bigint[]) AS old (id)
    LEFT JOIN gone ON gone.run_id = old.id GROUP BY old.id)
UPDATE runs_run SET events_pruned = events_pruned + counted.pieces, events_pruned_at = now()
FROM counted WHERE runs_run.id = counted.id RETURNING counted.pieces
"""


@dataclass(frozen=True, kw_only=True)
class Removed:
    """What one step removed."""

    runs: int = 0
    events: int = 0
    files: int = 0
    bytes_freed: int = 0


def removable(department_id: int, days: int) -> RunQuerySet:
    """Runs of the department that ended more than `days` ago and that nobody pinned."""
    ended = Run.objects.filter(department=department_id, state__in=TERMINAL_STATES, pinned_at=None)
    return ended.filter(finished_at__lt=_before(days))


def whole_runs(department_id: int, days: int) -> RunQuerySet:
    """Of these the ones that may go as a whole: a conversation that is still in use keeps all its turns."""
    quiet = Q(conversation=None) | Q(conversation__updated_at__lt=_before(days))
    return removable(department_id, days).filter(quiet)


def unpruned(department_id: int, days: int) -> RunQuerySet:
    """Of these the ones whose logs still hold the pieces of texts."""
    return removable(department_id, days).filter(events_pruned_at=None)


def old_files(department_id: int, days: int) -> RunQuerySet:
    """Of these the ones that still have files."""
    return removable(department_id, days).filter(Exists(RunArtifact.objects.filter(run=OuterRef("pk"))))


def remove_old_runs(department_id: int, days: int) -> Removed | None:
    """Remove some runs that are old, with all that belongs to them; None when there are none any more."""
    with transaction.atomic():
        ids = _some(whole_runs(department_id, days), RUNS_AT_ONCE)
        talks = set(Run.objects.filter(pk__in=ids).exclude(conversation=None).values_list("conversation", flat=True))
        removed = remove_runs(ids)
        # A thread without turns would still hold its summary.
        emptied = Conversation.objects.filter(pk__in=talks, updated_at__lt=_before(days))
        emptied.filter(~Exists(Run.objects.filter(conversation=OuterRef("pk")))).delete()
    return removed if ids else None


def remove_runs(ids: Sequence[int]) -> Removed:
    """Remove these runs, with their logs, files and questions; the files when the transaction has committed."""
    if not ids:
        return Removed()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_ALLOW, ["on"])
        files = _forsake(RunArtifact.objects.filter(run__in=ids))
        events = RunEvent.objects.filter(run__in=ids).count()
        Run.objects.filter(pk__in=ids).delete()
        cursor.execute(_ALLOW, [""])
    return Removed(runs=len(ids), events=events, files=files.files, bytes_freed=files.bytes_freed)


def remove_old_files(department_id: int, days: int) -> Removed | None:
    """Remove the files of some old runs; None when there are none any more."""
    with transaction.atomic():
        ids = _some(old_files(department_id, days), RUNS_AT_ONCE)
        removed = _forsake(RunArtifact.objects.filter(run__in=ids))
        Run.objects.filter(pk__in=ids).update(files_pruned_at=Now())
    return removed if ids else None


def prune_events(department_id: int, days: int) -> Removed | None:
    """Remove the pieces of finished texts from the logs of some old runs; None when there are none any more.

    A text that was cut off has no whole, so its pieces stay.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        ids = _some(unpruned(department_id, days), RUNS_AT_ONCE)
        if not ids:
            return None
        cursor.execute(_PRUNE, {"runs": ids})
        return Removed(events=sum(pieces for (pieces,) in cursor.fetchall()))


def clear_strays() -> int:
    """Remove some files that no row needs any more: what crashed while it was saved, what the storage once refused to remove."""
    with wall.system("sweeper: stored files of all departments that no row needs"):
        return remove(StrayFile.objects.filter(created_at__lt=Now() - STRAY_AFTER).order_by("id")[:STRAYS_AT_ONCE])


def _before(days: int) -> datetime:
    return datetime.now(UTC) - timedelta(days=days)


def _some(runs: RunQuerySet, count: int) -> list[int]:
    """Locked, so that nobody pins one of them meanwhile; what somebody else holds waits for the next step."""
    found = runs.select_for_update(of=("self",), skip_locked=True).order_by("finished_at")
    return list(found.values_list("pk", flat=True)[:count])


def _forsake(artifacts: RunArtifactQuerySet) -> Removed:
    """Turn rows of files into notes that the files are to be removed, which is done after the commit."""
    rows = list(artifacts.values_list("department_id", "file", "size_bytes"))
    notes = [StrayFile(department_id=department, path=path, size_bytes=size) for department, path, size in rows]
    StrayFile.objects.bulk_create(notes)
    artifacts.delete()
    if notes:
        transaction.on_commit(partial(_remove_now, {note.department_id for note in notes}, [note.pk for note in notes]))
    return Removed(files=len(rows), bytes_freed=sum(size for _, _, size in rows))


def _remove_now(departments: set[int], ids: list[int]) -> None:
    with wall.tenant(departments):
        remove(StrayFile.objects.filter(pk__in=ids))

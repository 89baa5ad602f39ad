"""The journal of a run under way: kept as it is written, read when the run goes on, gone when the run has ended."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django.db import connection

from mindloom.engine.runner import Decision, Resume
from runs.models import Approval, JournalEntry, storable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runs.models import Run

_DECIDED = (Approval.State.APPROVED, Approval.State.DECLINED, Approval.State.ANSWERED)
_BLOCKS = """
SELECT source::text, split_part(type, '.', 1), max((data->>'block')::int) FROM runs_runevent
WHERE run_id = %s AND type IN ('content.added', 'content.completed', 'reasoning.added', 'reasoning.completed')
GROUP BY 1, 2
"""


def note(run: Run, notes: Mapping[str, Any]) -> None:
    """Write these entries down, over those of the same name."""
    if notes:
        entries = [
            JournalEntry(run=run, department_id=run.department_id, name=name, value=storable(value))
            for name, value in notes.items()
        ]
        JournalEntry.objects.bulk_create(
            entries, update_conflicts=True, unique_fields=["run", "name"], update_fields=["value"]
        )


def entries_of(run: Run) -> dict[str, Any]:
    """What the run has noted so far."""
    return dict(JournalEntry.objects.filter(run=run).values_list("name", "value"))


def resume_of(run: Run) -> Resume | None:
    """How the run goes on, None when no worker had it before. `run` is as it was before it was taken."""
    if not run.fence:
        return None
    journal = entries_of(run)
    decisions = {}
    for one in run.approvals.select_related("decided_by").order_by("id"):
        if one.kind == Approval.Kind.CHECK:
            if one.state == Approval.State.HAPPENED:
                journal[checked_call(one)] = {"text": _happened(one)}
        elif one.state in _DECIDED:
            decisions[one.key] = _decision(one, journal)
    return Resume(journal=journal, decisions=decisions, blocks=_blocks(run))


def _decision(approval: Approval, journal: dict[str, Any]) -> Decision:
    # People saw the arguments with secrets masked; the call itself is made with what was really asked.
    asked = journal.get(f"{approval.key}:asked", {})
    same = journal.get(f"{approval.key}:shown") == approval.arguments
    return Decision(
        tool=approval.tool,
        arguments=asked["arguments"] if same else approval.arguments,
        approved=approval.state != Approval.State.DECLINED,
        by=_who(approval),
        note=approval.note,
    )


CHECK_KEY = "{key}:check:{fence}"


def checked_call(approval: Approval) -> str:
    """The name of the call that a check is about."""
    return approval.key.rpartition(":check:")[0]


def _happened(approval: Approval) -> str:
    said = f" They said: {approval.note}" if approval.note else ""
    return (
        f"This call was carried out: {_who(approval)} looked and confirmed it. What it answered is not known.{said} "
        "Do not make it again."
    )


def _who(approval: Approval) -> str:
    person = approval.decided_by
    return (person.name or person.email) if person is not None else "Somebody"


def _blocks(run: Run) -> dict[tuple[str, ...], tuple[int, int]]:
    """How many texts the log has of each source, finished or not."""
    found: dict[tuple[str, ...], dict[str, int]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_BLOCKS, [run.pk])
        for source, kind, block in cursor.fetchall():
            found.setdefault(tuple(json.loads(source)), {})[kind] = block
    return {path: (of.get("content", 0), of.get("reasoning", 0)) for path, of in found.items()}

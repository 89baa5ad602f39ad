"""What of runs is only one person's: taken away by them, and forgotten when they delete their account."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runs.models import Conversation, PersonMemory, Run

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from accounts.models import User


def own_runs(person: User) -> Iterable[Mapping[str, object]]:
    """The runs that the person started, newest first, with what went in and what came out."""
    shown = ("uuid", "state", "trigger", "input", "variables", "output", "queued_at", "finished_at")
    yield from Run.objects.filter(started_by=person).order_by("-id").values(*shown).iterator(chunk_size=500)


def own_conversations(person: User) -> Iterable[Mapping[str, object]]:
    """The person's conversations, newest first; their turns are runs."""
    shown = ("uuid", "title", "summary", "created_at", "updated_at")
    yield from Conversation.objects.filter(owner=person).order_by("-id").values(*shown).iterator(chunk_size=500)


def own_memories(person: User) -> Iterable[Mapping[str, object]]:
    """What agents remember of the person."""
    return PersonMemory.objects.filter(person=person).order_by("-id").values("uuid", "facts", "updated_at")


def forget_person(person: User) -> None:
    """Agents remember nothing of the person any more, and conversations lose what was theirs alone: title and summary."""
    PersonMemory.objects.filter(person=person).delete()
    Conversation.objects.filter(owner=person).update(title="", summary="", summary_run_id=0)

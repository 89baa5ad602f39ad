"""Writes a run's events down while it works: pieces of text merged, everything else at once."""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from django.db import DatabaseError, InterfaceError, OperationalError, transaction

from mindloom.engine.events import (
    TERMINAL_TYPES,
    ApprovalRequested,
    ContentAdded,
    ContentCompleted,
    ModelCalled,
    ReasoningAdded,
    ReasoningCompleted,
    RunCancelled,
    RunCompleted,
    RunFailed,
    RunWaiting,
)
from mindloom.engine.runner import Noted
from mindloom.wall.pool import give_back
from runs.models import Guard, Reason, Run, RunEvent, State, append, storable
from runs.models.append import Appended
from runs.signals import announce, ring
from runs.worker.endings import forget, terminal_changes
from runs.worker.handback import hand_back
from runs.worker.journal import note
from runs.worker.waiting import ask

if TYPE_CHECKING:
    from mindloom.engine.events import Event
    from runs.worker.redact import Redactor

logger = logging.getLogger(__name__)

FLUSH_SECONDS = 0.1
FLUSH_EVENTS = 50
# Text may wait a moment for more of it, and what ends a text comes right before something else.
PATIENT = (ContentAdded, ReasoningAdded, ContentCompleted, ReasoningCompleted, ModelCalled)
RETRY_SECONDS = (0.2, 0.5, 1, 2, 4, 8)


class Lost(Exception):
    """The run is no longer ours: another worker has it, or it was ended from outside."""


class Recorder:
    """The pen of one claim. Raises `Lost` when the claim no longer holds."""

    def __init__(self, run: Run, fence: int, redactor: Redactor) -> None:
        self._run = run
        self._guard = Guard(states=(State.RUNNING,), fence=fence)
        self._redactor = redactor
        self._pending: list[Event] = []
        self._notes: dict[str, Any] = {}
        self._has_noted = bool(run.fence)  # by a worker before this one
        self._flushed_at = 0.0
        self.ended = False
        self.answer: str | None = None
        """What the run answered, once it has ended well."""
        self._asked: list[ApprovalRequested] = []
        self._waits: RunWaiting | None = None

    def take(self, event: Event | Noted | None) -> None:
        """Take the engine's next event or note; None is a tick."""
        if event is None:
            self._flush()
            return
        if isinstance(event, Noted):
            # Kept with the events around it.
            self._notes[event.name] = event.value
            return
        if isinstance(event, RunWaiting):
            self._waits = event
            return
        if isinstance(event, RunCompleted | RunFailed | RunCancelled):
            self.end(event)
            return
        masked = self._redactor.event(event)
        self._pending.append(masked)
        if isinstance(masked, ApprovalRequested):
            # Questions are written down together with the run's waiting, so that nobody answers one too early.
            self._asked.append(masked)
            return
        impatient = not isinstance(event, PATIENT) or len(self._pending) >= FLUSH_EVENTS
        if impatient or time.monotonic() - self._flushed_at >= FLUSH_SECONDS:
            self._flush()

    def end(self, event: RunCompleted | RunFailed | RunCancelled) -> None:
        """Write what is left together with the terminal event, as the run's last words."""
        event = self._redactor.event(event)  # type: ignore[assignment]
        # An end that could not be written is replaced by this one: a log has one last line.
        self._pending = [one for one in self._pending if one.type not in TERMINAL_TYPES]
        self._pending.append(event)
        self._notes.clear()
        self._write(**terminal_changes(event))
        if self._has_noted:
            _patiently(lambda: forget(self._run.pk))
        self.ended = True
        self.answer = event.output if isinstance(event, RunCompleted) else None
        announce(self._run)

    @property
    def waits(self) -> bool:
        """Whether the engine has ended for now, because people must decide."""
        return self._waits is not None

    def wait(self) -> None:
        """Write down that the run waits, what is asked, and with what it goes on."""
        assert self._waits is not None
        event = self._redactor.event(self._waits)
        changes = {
            "state": State.WAITING,
            "reason": Reason.WAITING_FOR_PERSON,
            "reason_message": storable(self._waits.message),
        }
        events = [*merged(self._pending), event]
        kept = _patiently(
            lambda: ask(self._run, events, self._asked, self._notes, guard=self._guard, **changes),
            lambda: self._came_through(events),
        )
        if kept is None:
            raise Lost
        self._pending.clear()
        self.ended = True
        announce(self._run)

    def give_back(self, why: str) -> None:
        """The worker goes down: what it has not written yet goes along with the run to the next one."""
        events = merged(self._pending)
        # What would have been asked is asked by the worker that comes there again.
        events = [one for one in events if not isinstance(one, ApprovalRequested)]
        fence = self._guard.fence or 0
        if not _patiently(lambda: hand_back(self._run, fence, why, counts=False, events=events, notes=self._notes)):
            raise Lost
        self._pending.clear()
        self.ended = True
        announce(self._run)

    def _flush(self) -> None:
        if self._pending or self._notes:
            rings = bool(self._pending)
            self._write()
            if rings:
                ring(self._run.uuid)

    def _write(self, **changes: Any) -> None:
        events = merged(self._pending)
        if not events and not self._notes:
            return
        written = _patiently(lambda: self._append(events, **changes), lambda: self._came_through(events))
        if written is None:
            raise Lost
        self._pending.clear()
        self._notes.clear()
        self._flushed_at = time.monotonic()

    def _append(self, events: list[Event], **changes: Any) -> Appended | None:
        """The events and the notes that lie between them, all or nothing."""
        if not self._notes:
            return append(self._run.pk, events, guard=self._guard, **changes)
        self._has_noted = True
        with transaction.atomic():
            written = append(self._run.pk, events, guard=self._guard, **changes)
            if written is not None:
                note(self._run, self._notes)
        return written

    def _came_through(self, events: list[Event]) -> Appended | None:
        """The run, when the events are in its log although the answer was lost; nobody else writes the log of a run that is ours."""
        run = Run.objects.filter(pk=self._run.pk, fence=self._guard.fence or 0).only("last_seq", "fence").first()
        if run is None or not events:
            return None
        last = RunEvent.objects.filter(run_id=run.pk, seq=run.last_seq).first()
        ours = (events[-1].type, events[-1].at, events[-1].source)
        return Appended(run.last_seq, run.fence) if last and (last.type, last.at, tuple(last.source)) == ours else None


def merged(events: list[Event]) -> list[Event]:
    """The same events with pieces of one text joined where only pieces of other texts lie between; empty ones are left out."""
    result: list[Event] = []
    for event in events:
        if isinstance(event, ContentAdded | ReasoningAdded):
            if not event.text:
                continue
            place = _begun(result, event)
            if place is not None:
                begun = result[place]
                result[place] = replace(begun, text=begun.text + event.text)  # type: ignore[attr-defined,call-arg]
                continue
        result.append(event)
    return result


def _begun(events: list[Event], piece: ContentAdded | ReasoningAdded) -> int | None:
    """Where the text that the piece belongs to lies among the last pieces; members of a team write at the same time."""
    for place in range(len(events) - 1, -1, -1):
        event = events[place]
        if not isinstance(event, ContentAdded | ReasoningAdded):
            return None
        if type(event) is type(piece) and (event.block, event.source) == (piece.block, piece.source):
            return place
    return None


def _patiently(write: Any, came_through: Any = lambda: None) -> Any:
    """Run `write`, again after a while when the database is away; gives the connection back to the pool.

    Before it is written again, `came_through` says whether it was written after all.
    """
    for number, wait in enumerate((*RETRY_SECONDS, None)):
        try:
            return (came_through() if number else None) or write()
        except (OperationalError, InterfaceError) as error:
            if wait is None:
                raise
            logger.warning("The database is away, trying again in %s s: %s", wait, error)
        except DatabaseError:
            raise
        finally:
            give_back()
        time.sleep(wait or 0)
    return None

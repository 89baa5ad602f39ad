"""A long log to read: requests to models that stream, calls of tools with short and long results, members that take turns."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from mindloom.engine import events
from runs.models import Guard, Run, State, append
from runs.worker.endings import terminal_changes

MEMBERS = ("Scout", "Writer", "Reviewer")
WORDS = [
    "three",
    "regional",
    "programmes",
    "reopened",
    "this",
    "week",
    "and",
    "accept",
    "letters",
    "of",
    "intent",
    "until",
    "the",
    "twelfth",
    "of",
    "January",
]
PIECES = 14
"""Pieces of a text; with what goes with them a turn has 22 events."""
_STEP = timedelta(milliseconds=20)
_LIVE = Guard(states=(State.QUEUED, State.RUNNING))


def under_way(count: int) -> dict[str, Any]:
    """Fields of a run that somebody else carries out, so that no worker takes it; it began so many events ago."""
    now = datetime.now(UTC)
    began = now - count * timedelta(milliseconds=18)
    return {"queued_at": began, "started_at": began, "state": State.RUNNING, "heartbeat_at": now, "deadline_at": now + timedelta(hours=9)}  # fmt: skip


def turn(number: int, at: datetime, source: tuple[str, ...]) -> list[events.Event]:
    """One request to a model and what it led to."""
    block, own = number + 1, {"source": source}
    words = [f"{WORDS[(number + place) % len(WORDS)]} " for place in range(PIECES)]
    made: list[events.Event] = [
        events.ContentAdded(block=block, text=word, at=at + place * _STEP, **own) for place, word in enumerate(words)
    ]
    at += PIECES * _STEP
    made.append(events.ContentCompleted(block=block, text="".join(words), at=at, **own))
    made.append(events.ModelCalled(provider="Laboratory", model="weaver-large", turn=block, duration_ms=PIECES * 20, first_token_ms=20,
                                   tokens_in=800 + number, tokens_out=PIECES, at=at, **own))  # fmt: skip
    for place, tool in enumerate(("fetch_page", "calculate")):
        call, at = f"call-{number}-{place}", at + _STEP
        made.append(
            events.ToolCallStarted(call_id=call, tool=tool, arguments={"number": number}, effect="reads", at=at, **own)
        )
        result = "row of a long table\n" * 400 if number % 9 == 0 and place == 0 else f"{tool} found {number}"
        at += _STEP
        made.append(events.ToolCallFinished(call_id=call, tool=tool, result=result, duration_ms=20, at=at, **own))
    level: events.Level = "error" if number % 97 == 50 else "warn" if number % 31 == 7 else "info"
    made.append(
        events.LogWritten(
            level=level, message=f"\x1b[32mchecked\x1b[0m turn {number}, thread{number:05d}", at=at, **own
        )
    )
    made.append(events.LogWritten(level="debug", message=f"cache {number}", at=at, **own))
    return made


def story(count: int, began: datetime, team: str) -> Iterator[events.Event]:
    """So many events, but for the last one, which ends the run."""
    yield events.RunQueued(trigger="person", at=began)
    yield events.RunStarted(worker="bench", attempt=1, at=began)
    made, number, at = 2, 0, began
    while made < count - 1:
        member = MEMBERS[number // 20 % len(MEMBERS)]
        source = (team, member)
        part = turn(number, at, source)
        if number % 20 == 0:
            part.insert(0, events.MemberStarted(member=member, task="Your part", at=at, source=source))
        if number % 20 == 19:
            part.append(events.MemberFinished(member=member, duration_ms=8000, at=part[-1].at, source=source))
        at = part[-1].at + _STEP
        for event in part[: count - 1 - made]:
            yield event
            made += 1
        number += 1


def write(run: Run, made: list[events.Event]) -> None:
    """Append them as a worker does, in the run's own scope."""
    for start in range(0, len(made), 50):
        append(run.pk, made[start : start + 50], guard=_LIVE)


def end(run: Run, at: datetime | None = None) -> None:
    """The event that ends it."""
    done = events.RunCompleted(output="All is found.", at=at or datetime.now(UTC))
    append(run.pk, [done], guard=_LIVE, finished_at=datetime.now(UTC), **terminal_changes(done))

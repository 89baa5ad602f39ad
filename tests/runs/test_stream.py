"""Following a run: any part of the log folds to the same page, and no reader misses or doubles an event."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest
from channels.db import database_sync_to_async
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.authentication import read_token
from accounts.models import Membership, User
from accounts.services import issue_tokens
from mindloom import wall
from mindloom.engine import events
from mindloom.engine.events import ContentAdded, ContentCompleted, LogWritten, RunCompleted
from runs.models import Guard, RunEvent, State, append
from runs.signals import ring
from runs.stream import Batch, follow, lines_of, tails
from runs.stream.downloads import log_lines, log_text, ndjson, server_sent
from runs.stream.frames import frames_of
from runs.stream.lines import line_of
from runs.stream.tails import read_page
from runs.stream.watch import Reader, watch
from runs.worker.endings import terminal_changes
from tests import factories

QUEUED = Guard(states=(State.QUEUED,))
NOW = datetime.now(UTC)


def rows(values: list[events.Event]) -> list[RunEvent]:
    return [
        RunEvent(run_id=1, seq=place, at=event.at, type=event.type, source=list(event.source), data=event.data())
        for place, event in enumerate(values, 1)
    ]


def fold(page: dict[str, str], lines: list[dict]) -> dict[str, str]:
    """What the page shows after the lines, as the log viewer does it."""
    page = dict(page)
    for line in lines:
        if line["op"] == "append":
            page[line["key"]] = page.get(line["key"], "") + line["text"]
        elif line["op"] == "final" or line["key"] not in page:
            page[line["key"]] = line["text"]
    return page


EVENTS = st.one_of(
    st.builds(ContentAdded, at=st.just(NOW), block=st.integers(1, 3), text=st.text(max_size=5)),
    st.builds(ContentCompleted, at=st.just(NOW), block=st.integers(1, 3), text=st.text(max_size=9)),
    st.builds(LogWritten, at=st.just(NOW), level=st.just("info"), message=st.text(max_size=9)),
)


@settings(max_examples=40)
@given(st.lists(EVENTS, max_size=12))
def test_cut_anywhere_the_two_parts_fold_to_the_whole(values):
    stored = rows(values)
    whole = fold({}, lines_of(stored))

    for cut in range(len(stored) + 1):
        assert fold(fold({}, lines_of(stored[:cut])), lines_of(stored[cut:])) == whole


def test_every_event_type_has_its_line():
    sample = {
        "trigger": "person", "worker": "w", "attempt": 1, "reason": "r", "message": "m", "output": "o", "structured": None,
        "kind": "lost", "block": 1, "text": "t", "provider": "p", "model": "m", "turn": 1, "duration_ms": 1, "first_token_ms": 1,
        "tokens_in": 1, "tokens_out": 1, "tokens_cached": None, "tokens_reasoning": None, "error": "", "call_id": "c", "tool": "t",
        "arguments": {"a": 1}, "effect": "reads", "result": "r", "member": "m", "task": "t", "query": "q", "passages": [],
        "artifact": "a", "name": "n", "media_type": "text/plain", "size_bytes": 1, "approval": "a", "decision": "approved",
        "by": "b", "note": "", "level": "info", "warnings": (), "purpose": "", "version": 1, "model_ref": "", "key": "0:tool:1",
    }  # fmt: skip
    for kind, cls in events.TYPES.items():
        own = {field.name for field in dataclasses.fields(cls)} - {"at", "source"}
        event = cls(**{name: sample[name] for name in own})
        line = lines_of(rows([event]))[0]
        assert line["text"] != kind, kind
        assert line["n"] == 1


def test_an_event_of_another_vocabulary_is_shown_all_the_same():
    row = RunEvent(run_id=1, seq=1, at=NOW, type="moon.phased", source=[], data={"phase": "full"})

    assert lines_of([row])[0]["text"] == "moon.phased"


def test_a_page_of_large_results_stays_a_page_and_the_download_has_them_whole():
    result = events.ToolCallFinished(call_id="c", tool="t", result="x\n" * 30_000, duration_ms=1)
    stored = rows([result])

    shown = lines_of(stored)[0]
    assert len(shown["more"]) < 21_000
    assert shown["cut"] == 60_000
    assert line_of(stored[0])["more"] == result.result


@pytest.fixture
def run(cast, transactional_db):
    with wall.tenant([cast.marketing.pk]):
        return factories.run(factories.agent(cast.alice, cast.marketing), cast.bob)


def write(run, *values, **changes):
    with wall.tenant([run.department_id]):
        append(run.pk, values, guard=QUEUED, **changes)
    ring(run.uuid)


def finish(run):
    done = RunCompleted(output="done")
    write(run, done, finished_at=datetime.now(UTC), **terminal_changes(done))


async def seqs(run, after: int = 0) -> list[int]:
    return [row.seq async for batch in follow(run, after) if batch for row in batch.rows]


awrite, afinish = database_sync_to_async(write), database_sync_to_async(finish)


async def test_a_finished_run_is_read_to_its_end(run):
    await awrite(run, *[LogWritten(level="info", message=str(n)) for n in range(1200)])
    await afinish(run)

    assert await asyncio.wait_for(seqs(run), 10) == list(range(1, 1202))
    assert await asyncio.wait_for(seqs(run, 1195), 10) == list(range(1196, 1202))


async def test_an_end_that_is_written_before_the_tail_first_looks_is_not_missed(run, monkeypatch):
    follow_now = tails._Tail._follow

    async def follow_late(tail):
        await asyncio.sleep(0.3)
        await follow_now(tail)

    monkeypatch.setattr(tails._Tail, "_follow", follow_late)
    await awrite(run, LogWritten(level="info", message="a"))
    reading = asyncio.create_task(seqs(run))
    await asyncio.sleep(0.1)
    await afinish(run)

    assert await asyncio.wait_for(reading, 5) == [1, 2]


async def test_many_readers_who_come_at_any_time_see_every_event_once(run):
    async def produce():
        for n in range(60):
            await awrite(run, LogWritten(level="info", message=str(n)), ContentAdded(block=1, text=str(n)))
            await asyncio.sleep(0.005)
        await afinish(run)

    async def read(delay: float) -> list[int]:
        await asyncio.sleep(delay)
        return await seqs(run)

    results = await asyncio.wait_for(asyncio.gather(produce(), *[read(n * 0.02) for n in range(25)]), 60)

    assert all(result == list(range(1, 122)) for result in results[1:])


async def test_without_the_bell_readers_still_get_there(run, monkeypatch):
    monkeypatch.setattr("runs.stream.tails.LOOK_SECONDS", 0.2)
    monkeypatch.setattr("runs.stream.tails.get_channel_layer", lambda: None)
    reading = asyncio.create_task(seqs(run))
    await asyncio.sleep(0.1)
    await awrite(run, LogWritten(level="info", message="quiet"))
    await afinish(run)

    assert await asyncio.wait_for(reading, 20) == [1, 2]


async def test_a_slow_reader_reads_the_rest_from_the_log(run, monkeypatch):
    monkeypatch.setattr("runs.stream.tails.BEHIND_MAX", 2)
    seen: list[int] = []

    async def read_slowly():
        async for batch in follow(run, 0):
            seen.extend(row.seq for row in (batch.rows if batch else ()))
            await asyncio.sleep(0.05)

    reading = asyncio.create_task(read_slowly())
    for n in range(30):
        await awrite(run, LogWritten(level="info", message=str(n)))
    await afinish(run)
    await asyncio.wait_for(reading, 30)

    assert seen == list(range(1, 32))


async def test_downloads_hold_the_whole_log(run):
    await awrite(
        run,
        ContentAdded(block=1, text="Hel"),
        ContentAdded(block=1, text="lo"),
        ContentCompleted(block=1, text="Hello"),
    )
    await afinish(run)

    lines = b"".join([part async for part in log_lines(run)]).splitlines()
    text = b"".join([part async for part in log_text(run)]).decode()
    streamed = b"".join([part async for part in ndjson(follow(run, 0))]).splitlines()
    assert len(lines) == 5
    assert streamed == lines[:-1]
    assert text.count("Hello") == 1


async def test_the_last_line_of_a_download_seals_the_others(run):
    await awrite(run, LogWritten(level="info", message="One"))
    so_far = b"".join([part async for part in log_lines(run)])
    await afinish(run)
    whole = b"".join([part async for part in log_lines(run)])
    text = b"".join([part async for part in log_text(run)])

    for download, complete, count in ((so_far, False, 1), (whole, True, 2)):
        *lines, last = download.splitlines(keepends=True)
        facts = json.loads(last)["footer"]
        assert facts["sha256"] == sha256(b"".join(lines)).hexdigest()
        assert (facts["events"], facts["last_seq"], facts["complete"]) == (count, count, complete)
    *lines, last = text.splitlines(keepends=True)
    assert (
        last.decode() == f"-- 2 events, complete. SHA-256 of the lines above: {sha256(b''.join(lines)).hexdigest()}\n"
    )


@pytest.mark.parametrize("form", [ndjson, server_sent])
@pytest.mark.parametrize("loss", ["membership", "person", "token"])
async def test_a_stream_ends_when_its_reader_loses_access(run, cast, monkeypatch, form, loss):
    monkeypatch.setattr("runs.stream.watch.RECHECK_SECONDS", 0.0)
    token = await database_sync_to_async(lambda: read_token(issue_tokens(actor=cast.bob)["access"].encode()))()
    stream = form(watch(run, 0, Reader(token=token, session_key=None), cast.bob.pk))
    reading = asyncio.create_task(collected(stream))
    await asyncio.sleep(0.2)

    await database_sync_to_async(take_away)(cast, token, loss)
    await awrite(run, LogWritten(level="info", message="not for Bob"))
    assert b"not for Bob" not in await asyncio.wait_for(reading, 20)


async def collected(stream) -> bytes:
    return b"".join([part async for part in stream])


def take_away(cast, token, loss: str) -> None:
    if loss == "membership":
        with wall.tenant([cast.marketing.pk]):
            Membership.objects.filter(user=cast.bob).delete()
    elif loss == "person":
        User.objects.filter(pk=cast.bob.pk).update(is_active=False)
    else:
        token.set_exp(from_time=NOW - timedelta(days=1))


async def test_a_batch_makes_its_frames_once_and_says_what_it_follows(run):
    await awrite(run, *[LogWritten(level="info", message=text) for text in "abc"])
    batch = Batch(tuple(await read_page(run, 1)), 1)

    first, second = await asyncio.gather(frames_of(run, batch), frames_of(run, batch))
    assert first is second
    frame = json.loads(first[0])
    assert (frame["after"], frame["last"], [line["n"] for line in frame["lines"]]) == (1, 3, [2, 3])
    assert (batch.after(2).before, batch.after(3)) == (2, None)


async def test_a_text_that_was_broken_off_is_in_the_download(run):
    await awrite(
        run,
        ContentAdded(block=1, text="Hel"),
        ContentAdded(block=2, text="Good"),
        ContentCompleted(block=1, text="Hello"),
        ContentAdded(block=2, text=" by"),
    )
    await afinish(run)

    *lines, _ = b"".join([part async for part in log_text(run)]).decode().splitlines()
    assert [line.split(": ", 1)[1] for line in lines] == ["Hello", "Completed", "Good by"]

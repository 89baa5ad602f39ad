"""The way of events from the loop to the reader."""

from __future__ import annotations

import threading
import time

from mindloom.engine.agno_adapter.outbox import CROWDED, PACE_SECONDS, Outbox
from mindloom.engine.events import ContentAdded, LogWritten, RunCompleted
from mindloom.engine.runner import TICK_SECONDS

DONE = RunCompleted(output="")


def test_a_slow_reader_gets_the_pieces_joined():
    outbox = Outbox()
    for _ in range(10_000):
        outbox.add_text(ContentAdded, ("A",), 1, "ab")
    outbox.close(DONE)
    events = list(outbox)
    assert [event.type for event in events] == ["content.added", "run.completed"]
    assert events[0].text == "ab" * 10_000
    assert events[0].source == ("A",)


def test_pieces_of_different_blocks_are_not_joined():
    outbox = Outbox()
    outbox.add_text(ContentAdded, ("A",), 1, "a")
    outbox.add_text(ContentAdded, ("A",), 2, "b")
    outbox.close(DONE)
    assert [event.text for event in outbox if event.type == "content.added"] == ["a", "b"]


def test_nothing_follows_the_last_event():
    outbox = Outbox()
    assert outbox.close(DONE)
    outbox.put(LogWritten(level="info", message="late"))
    outbox.add_text(ContentAdded, ("A",), 1, "late")
    assert not outbox.close(DONE)
    assert list(outbox) == [DONE]


def test_the_reader_is_woken_by_silence_at_least_four_times_a_second(monkeypatch):
    assert TICK_SECONDS <= 1 / 4
    monkeypatch.setattr("mindloom.engine.agno_adapter.outbox.TICK_SECONDS", PACE_SECONDS)
    outbox = Outbox()
    threading.Timer(0.6, outbox.close, (DONE,)).start()
    assert list(outbox).count(None) >= 2


def test_the_first_piece_wakes_the_reader_at_once(monkeypatch):
    monkeypatch.setattr("mindloom.engine.agno_adapter.outbox.TICK_SECONDS", 30)
    outbox = Outbox()
    reader = iter(outbox)
    threading.Timer(0.02, outbox.add_text, (ContentAdded, ("A",), 1, "a")).start()
    # Who is not woken would come to see the piece only after a silence.
    assert next(reader).text == "a"


def test_a_tool_that_writes_a_flood_waits_for_the_reader():
    outbox = Outbox()

    def flood():
        for number in range(CROWDED + 50):
            outbox.put_patiently(LogWritten(level="info", message=str(number)))
        outbox.close(DONE)

    thread = threading.Thread(target=flood)
    thread.start()
    time.sleep(0.15)
    assert len(outbox._items) == CROWDED
    assert [event.message for event in outbox if event and event.type == "log.written"] == [
        str(number) for number in range(CROWDED + 50)
    ]
    thread.join()


def test_pieces_of_members_who_write_at_the_same_time_are_joined_each_with_its_own():
    outbox = Outbox()
    for text in ("a", "b", "c"):
        outbox.add_text(ContentAdded, ("Team", "A"), 1, text)
        outbox.add_text(ContentAdded, ("Team", "B"), 1, text.upper())
    outbox.close(RunCompleted(output="x"))
    assert [(one.source[-1], one.text) for one in outbox if one is not None and one.type == "content.added"] == [
        ("A", "abc"),
        ("B", "ABC"),
    ]

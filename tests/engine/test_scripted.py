"""The runner that plays a list."""

from __future__ import annotations

import time

from mindloom.engine.events import ContentAdded, RunCompleted
from mindloom.engine.scripted import ScriptedRunner
from mindloom.engine.spec import RunInput
from tests.engine.helpers import LentPorts, cancel_later, offline_spec

HELLO = ContentAdded(block=1, text="Hello")
DONE = RunCompleted(output="Hello")


def _run(*steps):
    return ScriptedRunner(steps).run(offline_spec(), RunInput(text=""), run_id="r", ports=LentPorts())


def test_it_plays_its_events_and_stops_at_the_last():
    assert list(_run(HELLO, DONE, HELLO)) == [HELLO, DONE]


def test_it_ticks_during_a_pause(monkeypatch):
    monkeypatch.setattr("mindloom.engine.scripted.TICK_SECONDS", 0.05)
    assert 2 <= list(_run(HELLO, 0.6, DONE)).count(None) < 12


def test_it_can_be_stopped_during_a_pause():
    handle = _run(HELLO, 30.0, DONE)
    cancel_later(handle, 0.05, "Enough.")
    began = time.monotonic()
    last = list(handle)[-1]
    assert (last.type, last.message) == ("run.cancelled", "Enough.")
    assert time.monotonic() - began < 5


def test_a_script_without_an_end_fails():
    assert list(_run(HELLO))[-1].type == "run.failed"

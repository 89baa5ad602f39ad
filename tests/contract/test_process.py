"""The event loop of the process."""

from __future__ import annotations

import asyncio
import multiprocessing
import threading

from mindloom.engine.agno_adapter.loop import LOOP
from tests.engine.helpers import agent_spec, cancel_later, events_of, play, start


def _in_child(spec, answers):
    answers.put(play(spec)[-1].type)


def test_a_forked_child_has_a_loop_and_clients_of_its_own(model):
    spec = agent_spec(model("plain"))
    assert play(spec)[-1].type == "run.completed"
    fork = multiprocessing.get_context("fork")
    answers = fork.Queue()
    child = fork.Process(target=_in_child, args=(spec, answers))
    child.start()
    assert answers.get(timeout=20) == "run.completed"
    child.join(10)


def _tasks() -> int:
    counted: list[int] = []
    done = threading.Event()

    def count():
        counted.append(len(asyncio.all_tasks()))
        done.set()

    LOOP.call(count)
    done.wait(5)
    return counted[0]


def test_stopped_runs_leave_nothing_on_the_loop(model):
    for number in range(5):
        handle = start(agent_spec(model("left", {"text": "a", "end": "stall"})), run_id=f"left-{number}")
        cancel_later(handle, 0.05)
        assert events_of(handle)[-1].type == "run.cancelled"
    for _ in range(50):
        if _tasks() == 0:
            break
        threading.Event().wait(0.02)
    assert _tasks() == 0


def test_all_runs_share_one_loop(model):
    for _ in range(3):
        play(agent_spec(model("plain")))
    assert [thread.name for thread in threading.enumerate()].count("mindloom-engine") == 1

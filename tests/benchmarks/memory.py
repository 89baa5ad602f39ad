"""What a worker process needs with many runs at once: PSS and RSS before, while all are under way, and after."""

from __future__ import annotations

import time

from mindloom import wall
from runs.models import Run, State
from tests.benchmarks import people
from tests.benchmarks.house import House, memory_mb, until
from tests.benchmarks.report import Row

PIECES = 400
PACE_MS = 50


def measure(house: House, *, at_once: int) -> list[Row]:
    """One worker that carries out all runs at the same time."""
    fake = house.fake_models()
    people.script(fake, "paced", [f"word{place} " for place in range(PIECES)], PACE_MS)
    with wall.system("benchmark"):
        owner = people.person()
        agent = people.agent(owner, fake, "paced")
        worker = house.worker(at_once)
        people.await_end(people.queue(owner, people.agent(owner, fake, "plain"), 1))  # it is up, and Agno is loaded
        before = memory_mb(worker.family())
        ids = people.queue(owner, agent, at_once)
        until(
            lambda: Run.objects.filter(pk__in=ids, state=State.RUNNING).count() == at_once, "all runs are under way", 60
        )
        time.sleep(PIECES * PACE_MS / 2000)
        used, began = worker.cpu_seconds(), time.monotonic()
        during = memory_mb(worker.family())
        time.sleep(4)
        cpu = (worker.cpu_seconds() - used) / (time.monotonic() - began)
        ended = people.await_end(ids)
        people.assert_whole(ids)
        after = memory_mb(worker.family())
    slowest = max(
        (run.finished_at - run.started_at).total_seconds() for run in ended if run.finished_at and run.started_at
    )
    return [
        Row(
            f"Worker process, {at_once} paced runs at once ({1000 // PACE_MS} pieces/s each): memory",
            f"PSS {during[0]:.0f} MB, RSS {during[1]:.0f} MB",
            f"before: PSS {before[0]:.0f}, RSS {before[1]:.0f}; after: PSS {after[0]:.0f}, RSS {after[1]:.0f};"
            f" {cpu:.0%} of a core; the slowest took {slowest:.1f} s where the model needs {PIECES * PACE_MS / 1000:.0f} s",
        )
    ]

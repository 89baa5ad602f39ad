"""Runs a second: Agno alone, Mindloom's whole pipeline, and Agno's own server, one after the other, several rounds.

All do the same work: an agent without tools, one model request, an answer in 200 pieces that come as fast as they are taken, 16
runs at once, from the same fake model server in a process of its own. What is counted is the same for all: the ends of the
runs, from the end of the last warm-up run to the end of the last run.

Mindloom's runs are queued before its one worker process starts, so that only the carrying out is counted: from Redis' message
to the terminal event in PostgreSQL. What Agno's server does is said in `agentos`.
"""

from __future__ import annotations

import json
import subprocess
import sys
from statistics import median

from mindloom import wall
from tests.benchmarks import agentos, people
from tests.benchmarks.house import House, Process
from tests.benchmarks.report import Row
from tests.benchmarks.work import AT_ONCE, MODEL, WARM_UP, Rate, rate

TARGET_RATIO = 0.8


def measure(house: House, *, runs: int, rounds: int, with_agentos: bool) -> list[Row]:
    """One row for each contender, with its ratio to Agno alone."""
    fake = house.fake_models()
    agno_python = agentos.environment(house.folder / "agentos") if with_agentos else None
    alone, ours, theirs, unread = [], [], [], []
    with wall.system("benchmark"):
        agent = people.agent(people.person(), fake, MODEL)
        for number in range(rounds):
            alone.append(_agno_alone(fake, runs))
            ours.append(_mindloom(house, agent, runs))
            if agno_python is not None:
                theirs.append(agentos.measure(house, agno_python, fake, runs=max(48, runs // 4), read=True))
                unread.append(agentos.measure(house, agno_python, fake, runs=max(48, runs // 4), read=False))
            _tell(number, alone[-1], ours[-1], *(theirs[-1:] + unread[-1:]))
    rows = [
        Row("Agno alone: `Agent.arun`, one loop, one process", _figure(alone), "1.00 by definition"),
        Row("Mindloom: message → one worker process → events in PostgreSQL → terminal", _figure(ours), _against(ours, alone), f"≥ {TARGET_RATIO}",
            _ratio(ours, alone) >= TARGET_RATIO),
    ]  # fmt: skip
    if theirs:
        rows += [
            Row(
                "AgentOS: background runs, Redis event stream, PostgreSQL; each client reads its stream",
                _figure(theirs),
                _against(theirs, alone),
            ),
            Row(
                "AgentOS: the same, each client leaves after the first event", _figure(unread), _against(unread, alone)
            ),
        ]
    return rows


def _agno_alone(fake: str, runs: int) -> Rate:
    command = [sys.executable, "-m", "tests.benchmarks.bare", fake, MODEL, str(runs + WARM_UP), str(AT_ONCE)]
    said = json.loads(subprocess.run(command, stdout=subprocess.PIPE, timeout=300, check=True).stdout)
    return Rate(rate(said["ended"]), said["cpu"] * 1000 / (runs + WARM_UP))


def _mindloom(house: House, agent: people.Agent, runs: int) -> Rate:
    ids = people.queue(people.person(), agent, runs + WARM_UP)
    worker = house.worker(AT_ONCE)
    try:
        cpu = _cpu_while(worker, ids)
        ended = people.await_end(ids)
        people.assert_whole(ids)
    finally:
        worker.stop()
    return Rate(rate([run.finished_at.timestamp() for run in ended if run.finished_at]), cpu)


def _cpu_while(worker: Process, ids: list[int]) -> float:
    """Processor time per run of the worker, after the warm-up, in ms."""
    people.await_ended(ids, WARM_UP)
    begun, before = people.ended(ids), worker.cpu_seconds()
    people.await_ended(ids, len(ids))
    return (worker.cpu_seconds() - before) * 1000 / max(1, len(ids) - begun)


def _figure(rates: list[Rate]) -> str:
    each = ", ".join(f"{one.per_second:.1f}" for one in rates)
    cpu = f"; {median(one.cpu_ms for one in rates):.0f} ms CPU a run" if rates[0].cpu_ms else ""
    return f"{median(one.per_second for one in rates):.1f} runs/s ({each}){cpu}"


def _ratio(some: list[Rate], others: list[Rate]) -> float:
    return median(a.per_second / b.per_second for a, b in zip(some, others, strict=True))


def _against(some: list[Rate], others: list[Rate]) -> str:
    return f"{_ratio(some, others):.2f} of Agno alone"


def _tell(number: int, *rates: Rate) -> None:
    print(
        f"  round {number + 1}: "
        + ", ".join(f"{one.per_second:.1f} runs/s ({one.cpu_ms:.0f} ms CPU)" for one in rates),
        flush=True,
    )

"""Measures Mindloom, each benchmark on an installation of its own.

    python -m tests.benchmarks [names…] [--runs 200] [--rounds 3] [--agentos]      all, or those named

Each benchmark is bounded in count and time, ends what it started and removes its folder. docs/benchmarks.md has the
figures and says what they mean.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from tests.benchmarks.house import House
from tests.benchmarks.report import Row, table

MOST_SECONDS = 1800


def _throughput(options: argparse.Namespace) -> list[Row]:
    with House() as house:
        from tests.benchmarks import throughput

        return throughput.measure(house, runs=options.runs, rounds=options.rounds, with_agentos=options.agentos)


def _latency(options: argparse.Namespace) -> list[Row]:
    with House() as house:
        from tests.benchmarks import latency

        return latency.measure(house, count=max(10, options.runs // 4))


def _viewers(options: argparse.Namespace) -> list[Row]:
    with House(commit_times=True) as house:
        from tests.benchmarks import viewers

        return viewers.measure(house, viewers=options.viewers, seconds=30)


def _memory(options: argparse.Namespace) -> list[Row]:
    with House() as house:
        from tests.benchmarks import memory

        return memory.measure(house, at_once=64)


def _lists(options: argparse.Namespace) -> list[Row]:
    with House() as house:
        from tests.benchmarks import lists

        return lists.measure(house, count=options.runs)


def _history(options: argparse.Namespace) -> list[Row]:
    with House() as house:
        from tests.benchmarks import history

        return history.measure(house, size=options.history, count=max(20, options.runs // 4))


def _audit(options: argparse.Namespace) -> list[Row]:
    with House() as house:
        from tests.benchmarks import audit

        return audit.measure(house, size=options.history, rounds=options.rounds)


def _documents(options: argparse.Namespace) -> list[Row]:
    with House() as house:
        from tests.benchmarks import documents

        return documents.measure(house)


def _retrieval(options: argparse.Namespace) -> list[Row]:
    with House() as house:
        from tests.benchmarks import retrieval

        return retrieval.measure(house)


def _passages(options: argparse.Namespace) -> list[Row]:
    with House() as house:
        from tests.benchmarks import passages

        return passages.measure(house, size=options.passages, count=max(20, options.runs // 4))


def _log(options: argparse.Namespace) -> list[Row]:
    with House() as house:
        from tests.benchmarks import log

        return log.measure(house, events=10_000, seconds=20)


def _idle(options: argparse.Namespace) -> list[Row]:
    with House(servers=False) as house:
        from tests.benchmarks import idle

        return idle.measure(house, starts=options.rounds)


BENCHMARKS: dict[str, Callable[[argparse.Namespace], list[Row]]] = {
    "throughput": _throughput,
    "latency": _latency,
    "viewers": _viewers,
    "memory": _memory,
    "lists": _lists,
    "history": _history,
    "audit": _audit,
    "documents": _documents,
    "retrieval": _retrieval,
    "passages": _passages,
    "log": _log,
    "idle": _idle,
}


def main() -> int:
    """Measure what is named, each in a process of its own, whose settings follow from its own folder."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description="Measures Mindloom.")
    parser.add_argument(
        "names", nargs="*", metavar="name", help=f"which benchmarks: {', '.join(BENCHMARKS)}; all without"
    )
    parser.add_argument("--runs", type=int, default=200, help="runs a round that are counted")
    parser.add_argument("--viewers", type=int, default=200, help="websockets that watch one run")
    parser.add_argument(
        "--history",
        type=int,
        default=1_000_000,
        help="runs of the history, each with 20 events; entries of the audit trail",
    )
    parser.add_argument("--passages", type=int, default=1_000_000, help="passages that are searched")
    parser.add_argument("--rounds", type=int, default=3, help="how often the side-by-side measurements are repeated")
    parser.add_argument(
        "--agentos",
        action="store_true",
        help="measure Agno's own server too; installs requirements/bench.txt into a folder of its own",
    )
    parser.add_argument("--into", type=Path, default=None, help=argparse.SUPPRESS)
    options = parser.parse_args()
    unknown = set(options.names) - set(BENCHMARKS)
    if unknown:
        parser.error(f"there is no benchmark {', '.join(sorted(unknown))}; there are {', '.join(BENCHMARKS)}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if options.into is not None:
        rows = BENCHMARKS[options.names[0]](options)
        options.into.write_text(json.dumps([asdict(row) for row in rows]))
        return 0
    return _all(options)


def _all(options: argparse.Namespace) -> int:
    import tempfile

    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="loom-bench-") as folder:
        into = Path(folder) / "rows.json"
        for name in options.names or BENCHMARKS:
            print(f"{name}: load {os.getloadavg()[0]:.2f} before", flush=True)
            into.unlink(missing_ok=True)
            counts = [f"--runs={options.runs}", f"--rounds={options.rounds}", f"--viewers={options.viewers}"]
            counts += [f"--history={options.history}", f"--passages={options.passages}"]
            command = [sys.executable, "-m", "tests.benchmarks", name, f"--into={into}", *counts]
            command += ["--agentos"] if options.agentos else []
            if not _one(command) or not into.exists():
                print(f"{name} failed", flush=True)
                return 1
            rows += [Row(**row) for row in json.loads(into.read_text())]
    print(table(rows))
    return 0


def _one(command: list[str]) -> bool:
    child = subprocess.Popen(command)
    try:
        return child.wait(MOST_SECONDS) == 0
    except subprocess.TimeoutExpired:
        return False
    finally:
        if child.poll() is None:
            child.terminate()
            try:
                child.wait(90)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


if __name__ == "__main__":
    sys.exit(main())

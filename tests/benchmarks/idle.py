"""What `manage.py run` costs while nobody uses it, how soon it is ready, and how large its installation is."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

import psutil

from mindloom.environment import BASE_DIR
from tests.benchmarks.house import House, Process, answers, free_port, memory_mb, until
from tests.benchmarks.report import Row

TARGET_MB = 450
TARGET_START_SECONDS = 8
TARGET_INSTALLED_GB = 0.7
SETTLE_SECONDS = 15
CPU_SECONDS = 20


def measure(house: House, *, starts: int) -> list[Row]:
    """A first start, some further ones, then quiet."""
    first, _, process = _start(house)
    later, used = [], []
    for _ in range(starts):
        process.stop()
        seconds, processor, process = _start(house)
        later.append(seconds)
        used.append(processor)
    time.sleep(SETTLE_SECONDS)
    family = [*process.family(), *_postgres(house)]
    cpu = _cpu(family)
    each = _by_name(family)
    total = sum(pss for pss, _ in each.values())
    parts = ", ".join(f"{name} {pss:.0f}" for name, (pss, _) in each.items())
    rss = ", ".join(f"{name} {rss:.0f}" for name, (_, rss) in each.items())
    process.stop()
    return [
        Row(
            "`manage.py run`, idle: PSS of all its processes",
            f"{total:.0f} MB ({parts})",
            f"RSS: {rss}",
            f"≤ {TARGET_MB} MB",
            total <= TARGET_MB,
        ),
        Row("The same: processor", f"{cpu:.1%} of a core", f"over {CPU_SECONDS} s"),
        Row(
            "First start, to a ready page",
            f"{first:.1f} s",
            "with initdb, migrations, static files and the demonstration",
        ),
        Row(
            "Second start, to a ready page",
            f"{median(later):.1f} s",
            f"median of {starts}; {median(used):.1f} s of processor time until then, of two cores",
            f"≤ {TARGET_START_SECONDS} s",
            median(later) <= TARGET_START_SECONDS,
        ),
        _installed(house.folder),
    ]


def _start(house: House) -> tuple[float, float, Process]:
    """Seconds until the installation is ready, the processor time of all its processes until then, and its supervisor."""
    port, began = free_port(), time.monotonic()
    process = house.start(
        "run", [sys.executable, "manage.py", "run", "--port", str(port)], DATABASE_URL="", REDIS_URL=""
    )
    until(lambda: process.check() and answers(f"http://127.0.0.1:{port}/readyz"), "Mindloom is ready")
    seconds = time.monotonic() - began
    times = [one.cpu_times() for one in process.family()]
    return seconds, sum(one.user + one.system + one.children_user + one.children_system for one in times), process


def _postgres(house: House) -> list[psutil.Process]:
    """The embedded PostgreSQL, which is nobody's child."""
    number = int((house.data / "postgres" / "postmaster.pid").read_text().split()[0])
    postmaster = psutil.Process(number)
    return [postmaster, *postmaster.children(recursive=True)]


def _cpu(family: list[psutil.Process]) -> float:
    def used() -> float:
        return sum(times.user + times.system for times in (one.cpu_times() for one in family if one.is_running()))

    before = used()
    time.sleep(CPU_SECONDS)
    return (used() - before) / CPU_SECONDS


def _by_name(family: list[psutil.Process]) -> dict[str, tuple[float, float]]:
    """PSS and RSS in MB by kind of process; PostgreSQL's many count as one."""
    found: dict[str, list[psutil.Process]] = {}
    for process in family:
        found.setdefault(_kind(" ".join(process.cmdline())), []).append(process)
    return {kind: memory_mb(processes) for kind, processes in found.items()}


def _kind(command: str) -> str:
    for mark, kind in (
        ("uvicorn", "web"),
        ("celery", "worker"),
        ("scheduler", "scheduler"),
        ("redis", "Redis"),
        ("manage.py run", "supervisor"),
    ):
        if mark in command:
            return kind
    return "PostgreSQL"


def _installed(folder: Path) -> Row:
    """An environment with requirements/base.txt alone, with compiled modules, as pip leaves it."""
    where = folder / "installed"
    uv, python = [sys.executable, "-m", "uv"], str(where / "bin" / "python")
    environment = {**os.environ, "UV_LINK_MODE": "copy"}
    subprocess.run([*uv, "venv", "--quiet", str(where)], check=True, timeout=120, env=environment)
    install = [
        *uv,
        "pip",
        "install",
        "--quiet",
        "--compile-bytecode",
        "--python",
        python,
        "--require-hashes",
        "-r",
        str(BASE_DIR / "requirements" / "base.txt"),
    ]
    subprocess.run(install, check=True, timeout=900, env=environment)
    size = sum(file.lstat().st_size for file in where.rglob("*") if not file.is_dir()) / 1e9
    shutil.rmtree(where)
    return Row(
        "Installed size: a virtual environment with requirements/base.txt",
        f"{size:.2f} GB",
        "",
        f"≤ {TARGET_INSTALLED_GB} GB",
        size <= TARGET_INSTALLED_GB,
    )

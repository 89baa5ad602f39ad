"""Agno's own server under the same work: runs posted to it with `background=true&stream=true`, 16 at once.

The server is one uvicorn process. Its clients either read their streams to the end, or leave after the first event, when the
run goes on in the background and its events go to Redis only; that is nearest to what Mindloom's worker does alone.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import httpx
from redis.asyncio import Redis

from mindloom import embedded
from mindloom.environment import BASE_DIR
from tests.benchmarks.house import House, answers, free_port, until
from tests.benchmarks.work import AT_ONCE, MODEL, TEXT, Rate, rate

WARM_UP = 16
STATUS_KEY = "agno:os:events:{}:status"
ENDED = {b"COMPLETED", b"ERROR", b"CANCELLED", b"PAUSED"}


def environment(where: Path) -> Path:
    """Make an environment with requirements/bench.txt; its Python."""
    uv, python = [sys.executable, "-m", "uv"], where / "bin" / "python"
    variables = {**os.environ, "UV_LINK_MODE": "copy"}
    subprocess.run([*uv, "venv", "--quiet", str(where)], check=True, timeout=120, env=variables)
    locked = str(BASE_DIR / "requirements" / "bench.txt")
    install = [
        *uv,
        "pip",
        "install",
        "--quiet",
        "--compile-bytecode",
        "--python",
        str(python),
        "--require-hashes",
        "-r",
        locked,
    ]
    subprocess.run(install, check=True, timeout=900, env=variables)
    return python


def measure(house: House, python: Path, fake: str, *, runs: int, read: bool) -> Rate:
    """One round against a fresh server process."""
    port = free_port()
    redis_url = embedded.redis_url(house.data)
    command = [
        str(python),
        "-m",
        "uvicorn",
        "tests.benchmarks.agentos_server:app",
        "--port",
        str(port),
        "--log-level",
        "warning",
        "--no-access-log",
    ]
    server = house.start(
        "agentos",
        command,
        BENCH_POSTGRES=house.data / "postgres",
        BENCH_REDIS=redis_url,
        BENCH_FAKE=fake,
        BENCH_MODEL=MODEL,
    )
    base = f"http://127.0.0.1:{port}"
    try:
        until(lambda: server.check() and answers(f"{base}/health"), "Agno's server answers")
        before = server.cpu_seconds()
        ended = asyncio.run(_drive(base, redis_url, runs + WARM_UP, read))
        cpu = (server.cpu_seconds() - before) * 1000 / (runs + WARM_UP)
    finally:
        server.stop()
    return Rate(rate(ended, WARM_UP), cpu)


async def _drive(base: str, redis_url: str, runs: int, read: bool) -> list[float]:
    slots, ended = asyncio.Semaphore(AT_ONCE), []
    limits = httpx.Limits(max_connections=AT_ONCE * 2)
    async with (
        httpx.AsyncClient(base_url=base, timeout=120, limits=limits) as client,
        Redis.from_url(redis_url) as redis,
    ):

        async def one() -> None:
            async with slots:
                run_id = await _post(client, read)
                if not read:
                    await _await_status(redis, run_id)
                ended.append(time.time())

        async with asyncio.TaskGroup() as group:
            for _ in range(runs):
                group.create_task(one())
    return ended


async def _post(client: httpx.AsyncClient, read: bool) -> str:
    """Start a run; its id, once it has ended when `read`, else once it has begun."""
    form = {"message": TEXT, "stream": "true", "background": "true"}
    run_id, last = "", ""
    async with client.stream("POST", "/agents/bench/runs", data=form) as answer:
        answer.raise_for_status()
        async for line in answer.aiter_lines():
            if line.startswith("event: "):
                last = line[7:]
            elif not run_id and line.startswith("data: "):
                run_id = str(json.loads(line[6:])["run_id"])
                if not read:
                    return run_id
    if last != "RunCompleted":
        raise RuntimeError(f"a run of Agno's server ended with {last}")
    return run_id


async def _await_status(redis: Redis, run_id: str) -> None:
    while (status := await redis.get(STATUS_KEY.format(run_id))) not in ENDED:  # noqa: ASYNC110 -- another process sets it
        await asyncio.sleep(0.02)
    if status != b"COMPLETED":
        raise RuntimeError(f"a run of Agno's server ended as {status!r}")

"""Many people watch one run live on one web process: does everybody get everything, once, and how soon?

The run writes some twenty pieces a second for half a minute. Each viewer is a person with a websocket. PostgreSQL notes when each
event was committed (`track_commit_timestamp`), so the time to each socket is counted from there, and from the event's own `at`,
which is when the model sent the first of the pieces that the event joins.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from statistics import quantiles

import httpx
from django.db import connection
from websockets.asyncio.client import connect

from mindloom import wall
from runs.models import Run
from tests.benchmarks import people
from tests.benchmarks.house import House, free_port
from tests.benchmarks.report import Row
from tests.benchmarks.work import TEXT

TARGET_MS = 500
PACE_MS = 50
Seen = list[tuple[int, float]]
"""The events of one viewer, in order: number and time of arrival."""


def measure(house: House, *, viewers: int, seconds: int) -> list[Row]:
    """One run, watched by all."""
    fake, port = house.fake_models(), free_port()
    people.script(fake, "long", [f"word{place} " for place in range(seconds * 1000 // PACE_MS)], PACE_MS)
    with wall.system("benchmark"):
        agent = people.agent(people.person(), fake, "long")
        tokens = people.viewers(viewers)
    web = house.web(port)
    house.worker()
    base = f"http://127.0.0.1:{port}"
    headers = {"Authorization": f"Bearer {people.token(base)}"}
    answer = httpx.post(
        f"{base}/api/v1/runs", headers=headers, json={"agent": str(agent.uuid), "input": TEXT}, timeout=60
    )
    answer.raise_for_status()
    uuid = str(answer.json()["uuid"])
    before, began = web.cpu_seconds(), time.monotonic()
    everybody, connected = asyncio.run(_watch(port, uuid, tokens, seconds))
    cpu = (web.cpu_seconds() - before) / (time.monotonic() - began)
    return _rows(uuid, everybody, connected, cpu)


def _rows(uuid: str, everybody: Sequence[Seen], connected: float, cpu: float) -> list[Row]:
    with wall.system("benchmark"):
        run = Run.objects.get(uuid=uuid)
        people.assert_whole([run.pk])
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT seq, extract(epoch FROM pg_xact_commit_timestamp(xmin)), extract(epoch FROM at) FROM runs_runevent WHERE run_id = %s",
                [run.pk],
            )
            times = {seq: (float(commit), float(at)) for seq, commit, at in cursor.fetchall()}
    whole = list(range(1, run.last_seq + 1))
    exact = sum([seq for seq, _ in seen] == whole for seen in everybody)
    # What was committed before the last viewer had connected is catching up, not live.
    live = [(seq, at) for seen in everybody for seq, at in seen if times[seq][0] > connected]
    appends = len({times[seq][0] for seq, _ in live})
    commit = sorted((at - times[seq][0]) * 1000 for seq, at in live)
    piece = sorted((at - times[seq][1]) * 1000 for seq, at in live)
    p95 = quantiles(commit, n=20)[-1]
    return [
        Row(
            f"{len(everybody)} viewers of one run on one web process: who got every one of its {run.last_seq} events exactly once",
            f"{exact} of {len(everybody)}",
            f"{appends} appends while all watched; the web process used {cpu:.0%} of a core",
            "all",
            exact == len(everybody),
        ),
        Row(
            "The same: from an event's commit to a viewer's socket",
            f"p50 {commit[len(commit) // 2]:.0f} ms, p95 {p95:.0f} ms, most {commit[-1]:.0f} ms",
            f"from the model's piece: p50 {piece[len(piece) // 2]:.0f} ms, p95 {quantiles(piece, n=20)[-1]:.0f} ms",
            f"p95 ≤ {TARGET_MS} ms",
            p95 <= TARGET_MS,
        ),
    ]


async def _watch(port: int, uuid: str, tokens: list[str], seconds: int) -> tuple[list[Seen], float]:
    """What everybody saw, and when the last of them had connected."""
    everybody: list[Seen] = [[] for _ in tokens]
    connected: list[float] = []
    address = f"ws://127.0.0.1:{port}/ws/runs/{uuid}/?after=0"

    async def view(seen: Seen, token: str) -> None:
        async with connect(
            address,
            additional_headers={"Authorization": f"Bearer {token}"},
            origin=f"http://127.0.0.1:{port}",
            open_timeout=60,
            compression=None,
        ) as socket:  # type: ignore[arg-type]
            connected.append(time.time())
            async for message in socket:
                now, frame = time.time(), json.loads(message)
                seen += [(line["n"], now) for line in frame.get("lines", ())]

    async with asyncio.timeout(seconds + 120), asyncio.TaskGroup() as group:
        for seen, token in zip(everybody, tokens, strict=True):
            group.create_task(view(seen, token))
            await asyncio.sleep(0.01)
    return everybody, max(connected)

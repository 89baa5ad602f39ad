"""How long after the request the first word is on the reader's screen, over real HTTP and a real websocket.

The clock starts before POST /api/v1/runs is sent and stops when the websocket, opened as soon as the run's address is known,
brings the first content. The fake model takes 50 ms for each piece, the first one too; what it took for the first is the run's
own `first_token_ms`, and is taken away.
"""

from __future__ import annotations

import json
import time
from statistics import median, quantiles

import httpx
from websockets.sync.client import connect

from mindloom import wall
from runs.models import Run
from tests.benchmarks import people
from tests.benchmarks.house import House, free_port, until
from tests.benchmarks.report import Row
from tests.benchmarks.work import TEXT

TARGET_MS = 150
PACE_MS = 50
PIECES = 6
WARM_UP = 5


def measure(house: House, *, count: int) -> list[Row]:
    """The time of `count` runs, one after the other."""
    fake, port = house.fake_models(), free_port()
    people.script(fake, "slow-start", [f"word{place} " for place in range(PIECES)], PACE_MS)
    with wall.system("benchmark"):
        agent = people.agent(people.person(), fake, "slow-start")
    house.web(port)
    house.worker()
    base = f"http://127.0.0.1:{port}"
    headers = {"Authorization": f"Bearer {people.token(base)}"}
    whole, created, own = [], [], []
    with httpx.Client(base_url=base, headers=headers, timeout=60) as client:
        for number in range(WARM_UP + count):
            posted, seen, uuid = _one(client, port, headers, str(agent.uuid))
            if number >= WARM_UP:
                first = _first_token_ms(uuid)
                whole.append(seen - first)
                created.append(posted)
                own.append(first)
    p95 = quantiles(whole, n=20)[-1]
    return [
        Row(
            f"From POST /api/v1/runs to the first content on the websocket, less the model's own first token; {count} runs",
            f"p50 {median(whole):.0f} ms, p95 {p95:.0f} ms",
            f"of it the POST p50 {median(created):.0f} ms; the model's first token took {median(own):.0f} ms more",
            f"p50 ≤ {TARGET_MS} ms",
            median(whole) <= TARGET_MS,
        )
    ]


def _one(client: httpx.Client, port: int, headers: dict[str, str], agent: str) -> tuple[float, float, str]:
    """One run: ms until the POST was answered, ms until the first content, and the run."""
    began = time.monotonic()
    answer = client.post("/api/v1/runs", json={"agent": agent, "input": TEXT})
    posted = (time.monotonic() - began) * 1000
    answer.raise_for_status()
    uuid = str(answer.json()["uuid"])
    address = f"ws://127.0.0.1:{port}/ws/runs/{uuid}/?after=0"
    with connect(address, additional_headers=headers, origin=f"http://127.0.0.1:{port}") as socket:  # type: ignore[arg-type]
        seen = 0.0
        while True:
            frame = json.loads(socket.recv(timeout=60))
            if not seen and any(line["kind"] == "content" for line in frame.get("lines", ())):
                seen = (time.monotonic() - began) * 1000
            if frame.get("terminal"):
                return posted, seen, uuid


def _first_token_ms(uuid: str) -> int:
    with wall.system("benchmark"):
        return int(
            until(
                lambda: Run.objects.filter(uuid=uuid).values_list("first_token_ms", flat=True)[0],
                "the run says its first token",
            )
        )

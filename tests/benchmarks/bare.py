"""Agno alone: `Agent.arun` in one event loop, a fresh agent for each run, one client for all.

python -m tests.benchmarks.bare <base url> <model> <runs> <at once>      prints when each run ended, as JSON
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time

os.environ["AGNO_TELEMETRY"] = "false"

from agno.agent import Agent
from agno.models.openai.like import OpenAILike
from openai import AsyncOpenAI

from tests.benchmarks.work import SYSTEM, TEXT


async def _measure(base_url: str, model: str, runs: int, at_once: int) -> list[float]:
    client = AsyncOpenAI(base_url=base_url, api_key="none", max_retries=0)
    slots, ended = asyncio.Semaphore(at_once), []

    async def one() -> None:
        async with slots:
            agent = Agent(model=OpenAILike(id=model, async_client=client), system_message=SYSTEM, telemetry=False)
            size = 0
            async for event in agent.arun(TEXT, stream=True):
                size += len(event.content or "") if event.event == "RunContent" else 0
            if not size:
                raise RuntimeError("a run without an answer")
            ended.append(time.time())

    async with asyncio.TaskGroup() as group:
        for _ in range(runs):
            group.create_task(one())
    return ended


if __name__ == "__main__":
    url, name, count, together = sys.argv[1:]
    began = time.process_time()
    times = asyncio.run(_measure(url, name, int(count), int(together)))
    print(json.dumps({"ended": times, "cpu": time.process_time() - began}))

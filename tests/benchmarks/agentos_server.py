"""Agno's own server with the agent of the benchmarks: PostgreSQL for sessions, a Redis event stream for background runs.

Run with a Python that has requirements/bench.txt:  python -m uvicorn tests.benchmarks.agentos_server:app
"""

from __future__ import annotations

import os

os.environ["AGNO_TELEMETRY"] = "false"

from agno.agent import Agent
from agno.db.postgres import AsyncPostgresDb
from agno.models.openai.like import OpenAILike
from agno.os import AgentOS
from agno.os.event_streams.redis import RedisEventStream
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import create_async_engine

from tests.benchmarks.work import SYSTEM

_folder = os.environ["BENCH_POSTGRES"]
_engine = create_async_engine(f"postgresql+psycopg://mindloom@/mindloom?host={_folder}", pool_size=20)
_db = AsyncPostgresDb(db_engine=_engine, db_schema="bench_agno")
_model = OpenAILike(id=os.environ["BENCH_MODEL"], base_url=os.environ["BENCH_FAKE"], api_key="none")

app = AgentOS(
    agents=[Agent(id="bench", name="Bench", model=_model, system_message=SYSTEM, db=_db, telemetry=False)],
    event_stream=RedisEventStream(Redis.from_url(os.environ["BENCH_REDIS"], max_connections=200)),
    telemetry=False,
).get_app()

"""placeholder"""
from collections.abc import AsyncIterator
from dataclasses import dataclass
from agno.models.base import Model
from agno.models.response import ModelResponse
from agno.metrics import MessageMetrics
import asyncio

@dataclass
class OfflineModel(Model):
    id: str = "offline"
    pace_ms: int | None = None
    def invoke(self, *a, **k): raise NotImplementedError
    async def ainvoke(self, *a, **k): raise NotImplementedError
    def invoke_stream(self, *a, **k): raise NotImplementedError
    def _parse_provider_response(self, *a, **k): raise NotImplementedError
    def _parse_provider_response_delta(self, *a, **k): raise NotImplementedError
    async def ainvoke_stream(self, messages, *a, **k):
        for w in ("I am the ", "offline ", "model."):
            yield ModelResponse(content=w)
            await asyncio.sleep(0.01)
        yield ModelResponse(response_usage=MessageMetrics(input_tokens=3, output_tokens=4, total_tokens=7))

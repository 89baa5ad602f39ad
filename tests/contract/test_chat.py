"""Pieces of plain text take a short way past the SDK's objects; nothing may get lost on it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from openai.types.chat import ChatCompletionChunk

from mindloom.engine.agno_adapter.chat import text_of
from mindloom.engine.agno_adapter.models import build
from mindloom.engine.spec import ModelSpec

MODEL = build(ModelSpec(kind="openai_like", model="m", base_url="http://127.0.0.1:1/v1"), "")
CALL = {"index": 0, "id": "c", "type": "function", "function": {"name": "add", "arguments": "{}"}}
USAGE = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}


def piece(delta, *, finish_reason=None, **fields):
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
    return {"id": "x", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]} | fields


@pytest.mark.parametrize(
    "delta",
    [
        {"content": "Hi"},
        {"role": "assistant", "content": "", "refusal": None},
        {"reasoning_content": "Hm", "content": None},
        {"reasoning": "Hm"},
    ],
)
def test_plain_text_reads_as_agno_would_read_it(delta):
    agnos = MODEL._parse_provider_response_delta(ChatCompletionChunk.construct(**piece(delta)))
    ours = text_of(piece(delta, usage=None))
    assert ours == replace(agnos, provider_data=None, created_at=ours.created_at, tool_calls=[])


@pytest.mark.parametrize(
    "chunk",
    [
        piece({"content": "Hi", "tool_calls": [CALL]}),
        piece({"content": "Hi", "reasoning_content": "Hm"}),
        piece({"content": "Hi", "annotations": [{"type": "url_citation"}]}),
        piece({"content": "Hi", "audio": {"id": "a"}}),
        piece({"content": ["Hi"]}),
        piece({"content": "Hi"}, finish_reason="length"),
        piece({"content": "Hi"}, usage=USAGE),
        piece({"role": "assistant"}),
        piece({}),
        piece(None),
        {"choices": [], "usage": USAGE},
        {"choices": {"a": 1}},
        {"choices": ["?"]},
        {},
        [],
        "text",
        None,
    ],
)
def test_whatever_is_more_than_text_goes_the_long_way(chunk):
    assert text_of(chunk) is None

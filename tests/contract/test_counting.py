"""What providers count as read differs; at our boundary it is one thing."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from mindloom.engine.agno_adapter.reading import tokens_read


@pytest.mark.parametrize(("kind", "read"), [("openai", 100), ("azure", 100), ("openai_like", 100), ("anthropic", 130)])
def test_all_that_a_model_read_is_counted_once(kind, read):
    usage = SimpleNamespace(input_tokens=100, cache_read_tokens=20, cache_write_tokens=10)
    assert tokens_read(kind, usage) == read


@pytest.mark.parametrize("kind", ["openai", "anthropic"])
def test_what_the_provider_does_not_say_stays_unknown(kind):
    assert tokens_read(kind, SimpleNamespace(input_tokens=None, cache_read_tokens=5, cache_write_tokens=None)) is None

"""The fake provider, and short waits between attempts."""

from __future__ import annotations

import pytest

from mindloom.engine.spec import ModelSpec
from tests.fakes.openai_server import FakeModels


@pytest.fixture(scope="session")
def fake():
    with FakeModels() as server:
        yield server


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch):
    monkeypatch.setattr("mindloom.engine.agno_adapter.backoff.BACKOFF_SECONDS", 0.01)


@pytest.fixture
def model(fake):
    """A model of the fake provider; turns script it."""

    def make(name, *turns, kind="openai_like", by="turn", **fields):
        if turns:
            fake.script(name, list(turns), by)
        url = fake.url.removesuffix("/v1") if kind in {"anthropic", "azure"} else fake.url
        defaults = {"provider": "Acme", "base_url": url, "key_ref": "acme", "timeout_seconds": 5.0}
        return ModelSpec(kind=kind, model=name, **defaults | fields)

    return make

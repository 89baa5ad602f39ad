"""Speaking to MCP servers over real HTTP."""

from __future__ import annotations

import ipaddress

import pytest

from integrations.tools.base import Setup
from integrations.tools.mcp import tool_for
from mindloom.engine.errors import EngineError
from mindloom.engine.ports import ToolError
from tests.fakes.mcp_server import FakeMcp


@pytest.fixture(autouse=True)
def _loopback(settings):
    settings.OUTBOUND_ALLOWED_NETWORKS = [ipaddress.ip_network("127.0.0.0/8")]


@pytest.fixture(params=[False, True], ids=["json", "events"])
def fake(request):
    with FakeMcp(stream=request.param) as server:
        yield server


def functions(fake, **given):
    values = {"key": "mcp-desk", "name": "Desk", "description": "Tickets.", "url": fake.url}
    values |= {"headers": {}, "effects": {}, "timeout": 5.0}
    made = tool_for(**(values | given)).functions(Setup(config={}))
    return {one.info.name: one for one in made}


def test_the_functions_of_all_pages_are_offered(fake):
    found = functions(fake)
    assert set(found) == {"search_tickets", "tickets_close"}
    assert found["search_tickets"].info.parameters["required"] == ["words"]


def test_what_a_function_does_is_the_servers_hint_the_administrators_word_or_the_worst(fake):
    assert [one.info.effect for one in functions(fake).values()] == ["reads", "executes"]
    said = functions(fake, effects={"tickets.close": "writes", "search_tickets": "sends"})
    assert [one.info.effect for one in said.values()] == ["sends", "writes"]


def test_a_call_reaches_the_server_by_its_own_name(fake):
    assert functions(fake)["search_tickets"].call({"words": "printer"}, None) == "Found: printer"
    assert fake.calls == [{"name": "search_tickets", "arguments": {"words": "printer"}}]


def test_what_goes_wrong_there_is_told(fake):
    found = functions(fake)
    with pytest.raises(ToolError, match="There is no such ticket"):
        found["tickets_close"].call({}, None)
    with pytest.raises(ToolError, match="Not these words"):
        found["search_tickets"].call({"words": "refuse"}, None)


def test_a_session_that_was_forgotten_is_begun_anew(fake):
    found = functions(fake)
    fake.forget()
    assert found["search_tickets"].call({"words": "printer"}, None) == "Found: printer"


def test_its_headers_go_with_every_message():
    with FakeMcp(key="Bearer abc") as fake:
        functions(fake, headers={"Authorization": "Bearer abc", "X-Team": "a"})
        assert {one["authorization"] for one in fake.headers} == {"Bearer abc"}
        assert {one["x-team"] for one in fake.headers} == {"a"}
        with pytest.raises(EngineError, match="401"):
            functions(fake)


def test_a_server_that_is_away_fails_the_run_with_a_sentence(settings):
    with FakeMcp() as fake:
        url = fake.url
    with pytest.raises(EngineError, match="“Desk” cannot be used now"):
        functions(fake, url=url)
    settings.OUTBOUND_ALLOWED_NETWORKS = []
    with FakeMcp() as fake, pytest.raises(EngineError, match="private or reserved"):
        functions(fake)


def test_a_server_of_another_kind_is_told_from_an_mcp_server(fake, monkeypatch):
    monkeypatch.setattr(fake, "_said", lambda *_: {"result": "hello"})
    with pytest.raises(EngineError, match="Model Context Protocol"):
        functions(fake)

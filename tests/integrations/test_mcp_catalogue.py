"""The tools of MCP servers in the catalogue: shown as last seen, called by runs only."""

from __future__ import annotations

import pytest
from django.urls import reverse

from integrations import tools
from integrations.models import McpServer
from mindloom import wall
from mindloom.engine.errors import EngineError
from mindloom.engine.spec import ToolSpec

pytestmark = pytest.mark.django_db
SEARCH = {
    "name": "search_tickets",
    "description": "Find tickets.",
    "parameters": {"type": "object", "properties": {"words": {"type": "string"}}, "required": ["words"]},
    "effect": "reads",
}
CLOSE = {"name": "close_ticket", "description": "Close one.", "parameters": {}, "effect": "writes"}


@pytest.fixture
def server(db):
    return McpServer.objects.create(
        name="Ticket desk", slug="tickets", url="http://127.0.0.1:9/mcp", functions=[SEARCH, CLOSE]
    )


@pytest.fixture
def bob(client_as, cast):
    return client_as(cast.bob)


def shown(client, query=""):
    return {card.tool.key for card in client.get(f"/tools/{query}").context["cards"]}


def test_a_servers_tool_is_shown_as_it_was_last_seen_without_calling_it(bob, server):
    page = bob.get("/tools/").content.decode()
    assert "Ticket desk" in page
    assert "2 functions" in page
    page = bob.get("/tools/mcp-tickets/").content.decode()
    assert "search_tickets" in page
    assert "words" in page


def test_a_servers_tool_counts_by_what_it_changes_most(server):
    assert tools.tool("mcp-tickets").effect == "writes"


def test_one_query_reads_all_servers(server, django_assert_num_queries):
    McpServer.objects.create(name="Second", slug="second", url="http://127.0.0.1:9/mcp")
    with django_assert_num_queries(1):
        assert [tool.key for tool in tools.catalogue()][-2:] == ["mcp-second", "mcp-tickets"]


def test_our_own_tools_are_found_without_asking_the_database(db, django_assert_num_queries):
    with django_assert_num_queries(0):
        tools.tool("calculator")


def test_a_server_that_is_off_has_no_tool_and_a_run_is_told_so(server):
    McpServer.objects.update(is_enabled=False)
    assert tools.find("mcp-tickets") is None
    with pytest.raises(EngineError, match="“Ticket desk” is switched off"):
        tools.functions(ToolSpec(key="mcp-tickets"))


def test_a_server_is_for_the_departments_it_was_allowed_for(server, cast, client_as):
    McpServer.objects.update(departments=[cast.finance.pk])
    assert "mcp-tickets" not in shown(client_as(cast.bob))
    assert "mcp-tickets" in shown(client_as(cast.mallory))
    with wall.tenant([cast.marketing.pk]), pytest.raises(EngineError, match="not for this department"):
        tools.functions(ToolSpec(key="mcp-tickets"))
    with wall.tenant([cast.finance.pk]):
        assert tools.find("mcp-tickets")
    assert tools.find("mcp-tickets") is None


def test_a_server_that_is_gone_has_no_tool(db):
    with pytest.raises(EngineError, match="not in the catalogue any more"):
        tools.tool("mcp-tickets")


def test_a_server_that_cannot_be_reached_fails_with_a_sentence(server):
    with pytest.raises(EngineError, match="Ticket desk"):
        tools.functions(ToolSpec(key="mcp-tickets"))


def test_the_api_shows_a_servers_tool_as_it_was_last_seen(client_as, cast, server):
    found = {one["key"]: one for one in client_as(cast.bob).get(reverse("api:tools")).json()}
    assert found["mcp-tickets"]["is_remote"] is True
    assert [one["name"] for one in found["mcp-tickets"]["functions"]] == ["search_tickets", "close_ticket"]

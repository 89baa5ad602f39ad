"""The client of MCP servers against the protocol's own server, over streamable HTTP."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import contextmanager

import pytest
import uvicorn
from mcp.server import MCPServer
from mcp.types import ToolAnnotations

from integrations.tools.base import Setup
from integrations.tools.mcp import tool_for
from mindloom.engine.errors import EngineError
from mindloom.engine.ports import ToolError
from tests.integrations.tools.helpers import Context


@contextmanager
def running(**options):
    """A real server with three functions."""
    server = MCPServer("Tickets", log_level="ERROR")

    @server.tool(annotations=ToolAnnotations(read_only_hint=True))
    def find_ticket(words: str) -> str:
        """Find a ticket."""
        return f"Ticket 7 is about {words}."

    @server.tool()
    def close_ticket(number: int) -> str:
        """Close a ticket."""
        if number != 7:
            raise ValueError(f"There is no ticket {number}.")
        return "Closed."

    door = socket.create_server(("127.0.0.1", 0))
    web = uvicorn.Server(uvicorn.Config(server.streamable_http_app(**options), log_level="error", lifespan="on"))
    thread = threading.Thread(target=web.run, args=([door],), daemon=True)
    thread.start()
    deadline = time.monotonic() + 10
    while not web.started and time.monotonic() < deadline:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{door.getsockname()[1]}/mcp"
    web.should_exit = True
    thread.join(10)
    door.close()


def offered(url):
    tool = tool_for(key="mcp-x", name="Tickets", description="T.", url=url, headers={}, effects={}, timeout=5.0)
    return {one.info.name: one for one in tool.functions(Setup(config={}))}


@pytest.mark.parametrize(
    "options", [{}, {"json_response": True}, {"stateless_http": True}], ids=["events", "json", "stateless"]
)
def test_functions_of_a_real_server_are_listed_and_called(options):
    with running(**options) as url:
        functions = offered(url)
        assert {name: one.info.effect == "reads" for name, one in functions.items()} == {
            "find_ticket": True,
            "close_ticket": False,
        }
        assert functions["find_ticket"].info.parameters["required"] == ["words"]
        assert functions["find_ticket"].call({"words": "chairs"}, Context()) == "Ticket 7 is about chairs."
        assert functions["close_ticket"].call({"number": 7}, Context()) == "Closed."
        with pytest.raises(ToolError, match="Error executing tool close_ticket"):
            functions["close_ticket"].call({"number": 8}, Context())


def test_a_server_that_is_gone_fails_with_a_sentence():
    with running() as url:
        functions = offered(url)
    with pytest.raises(EngineError, match="Tickets"):
        offered(url)
    with pytest.raises(ToolError):
        functions["find_ticket"].call({"words": "x"}, Context())

"""A server that speaks the Model Context Protocol over streamable HTTP, as much as clients need."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

OFFERED = [
    {
        "name": "search_tickets",
        "description": "Find tickets.",
        "inputSchema": {"type": "object", "properties": {"words": {"type": "string"}}, "required": ["words"]},
        "annotations": {"readOnlyHint": True},
    },
    {"name": "tickets.close", "description": "Close a ticket.", "inputSchema": {"type": "object", "properties": {}}},
]


class FakeMcp:
    """Offers two functions, one on each page of its list, and remembers what it was sent. `stream` answers as events."""

    def __init__(self, *, stream: bool = False, key: str = "") -> None:
        self.stream, self.key = stream, key
        self.calls: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.session = 0
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                fake.answer(self)

            def log_message(self, *arguments: object) -> None:
                """Quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/mcp"

    def forget(self) -> None:
        """As after a restart: the session that clients have is not known any more."""
        self.session += 1

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        message = json.loads(request.rfile.read(int(request.headers["content-length"])))
        self.headers.append({name.lower(): value for name, value in request.headers.items()})
        if self.key and request.headers.get("authorization") != self.key:
            return self._reply(request, 401, {"error": f"Not the right key: {request.headers.get('authorization')}"})
        method = message["method"]
        if method != "initialize" and request.headers.get("mcp-session-id") != f"s{self.session}":
            return self._reply(request, 404, {"error": "no such session"})
        if "id" not in message:
            return self._reply(request, 202, None)
        return self._reply(request, 200, {"jsonrpc": "2.0", "id": message["id"], **self._said(method, message)})

    def _said(self, method: str, message: dict[str, Any]) -> dict[str, Any]:
        given = message.get("params", {})
        if method == "initialize":
            return {"result": {"protocolVersion": given["protocolVersion"], "capabilities": {}, "serverInfo": {}}}
        if method == "tools/list":
            page = {"tools": OFFERED[1:]} if given.get("cursor") else {"tools": OFFERED[:1], "nextCursor": "2"}
            return {"result": page}
        self.calls.append(given)
        if given["name"] == "tickets.close":
            return {"result": {"content": [{"type": "text", "text": "There is no such ticket."}], "isError": True}}
        if given["arguments"].get("words") == "refuse":
            return {"error": {"code": -32602, "message": "Not these words"}}
        return {"result": {"content": [{"type": "text", "text": f"Found: {given['arguments']['words']}"}]}}

    def _reply(self, request: BaseHTTPRequestHandler, status: int, body: Any) -> None:
        text = "" if body is None else json.dumps(body)
        if self.stream and status == 200:
            text = f": hello\n\nevent: message\ndata: {text}\n\n"
        request.send_response(status)
        request.send_header("content-type", "text/event-stream" if self.stream else "application/json")
        request.send_header("mcp-session-id", f"s{self.session}")
        request.send_header("content-length", str(len(text.encode())))
        request.end_headers()
        request.wfile.write(text.encode())

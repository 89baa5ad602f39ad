"""Small real servers that stand in for the outside: HTTP as scripted, mail, and PostgreSQL over TCP."""

from __future__ import annotations

import json
import socket
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit


@dataclass
class Request:
    """What the server was asked."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)

    def first(self, name):
        return self.query.get(name, [""])[0]


@dataclass
class Service:
    """An HTTP server whose answers are set by path: (status, body, content type), a body, or a function of the request."""

    url: str = ""
    answers: dict = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)

    def answer(self, path, body, status=200, content_type="", **headers):
        self.answers[path] = (status, body, content_type, headers)
        return f"{self.url}{path}"


def _handler(service):
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            parts = urlsplit(self.path)
            length = int(self.headers.get("content-length") or 0)
            headers = {name.lower(): value for name, value in self.headers.items()}
            request = Request(self.command, parts.path, parse_qs(parts.query), headers, self.rfile.read(length))
            service.requests.append(request)
            answer = service.answers.get(parts.path, (404, {"error": "not found"}, "", {}))
            while callable(answer) or not isinstance(answer, tuple):
                answer = answer(request) if callable(answer) else (200, answer, "", {})
            status, body, content_type, extra = (*answer, "", {})[:4]
            if not isinstance(body, bytes):
                content_type = content_type or (
                    "text/plain; charset=utf-8" if isinstance(body, str) else "application/json"
                )
                body = (body if isinstance(body, str) else json.dumps(body)).encode()
            with suppress(BrokenPipeError, ConnectionResetError):
                self.send_response(status)
                for name, value in {
                    "content-type": content_type,
                    "content-length": str(len(body)),
                    **(extra or {}),
                }.items():
                    self.send_header(name.replace("_", "-"), value)
                self.end_headers()
                self.wfile.write(body if self.command != "HEAD" else b"")

        do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_GET

        def log_message(self, *args):
            pass

    return Handler


@contextmanager
def serving():
    """A scripted HTTP server."""
    service = Service()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(service))
    server.daemon_threads = True
    service.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield service
    server.shutdown()
    server.server_close()


@contextmanager
def relay(path):
    """A TCP port that leads to a unix socket."""
    door = socket.create_server(("127.0.0.1", 0))
    ends = []

    def pump(source, target):
        with suppress(OSError):
            while data := source.recv(65_536):
                target.sendall(data)
        with suppress(OSError):
            target.shutdown(socket.SHUT_WR)

    def accept():
        with suppress(OSError):
            while True:
                near, _ = door.accept()
                far = socket.socket(socket.AF_UNIX)
                far.connect(path)
                ends.extend((near, far))
                for pair in ((near, far), (far, near)):
                    threading.Thread(target=pump, args=pair, daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    yield door.getsockname()[1]
    # Closing alone wakes nobody who waits for it, and the database would keep its side open.
    for end in (door, *ends):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        end.close()

"""A receiver of webhooks over real HTTP: it answers what it is told to, checks every signature, and remembers."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from standardwebhooks import Webhook


@dataclass(frozen=True)
class Received:
    """A message as it came."""

    headers: dict[str, str]
    body: bytes
    answered: int

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    def verified(self, secret: str) -> Any:
        """The message, when the official library finds its signature right. Raises `WebhookVerificationError`."""
        return Webhook(secret).verify(self.body, self.headers)


class Receiver:
    """Answers the statuses of `answers` one after the other, then 204. An answer may be `(status, headers, body)`; 0 is none, ever."""

    def __init__(self) -> None:
        self.answers: list[int | tuple[int, dict[str, str], bytes]] = []
        self.received: list[Received] = []
        self._lock = threading.Lock()
        self._closing = threading.Event()
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                fake.answer(self)

            def log_message(self, *arguments: object) -> None:
                """Quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/hooks"

    @property
    def messages(self) -> list[Any]:
        return [json.loads(one.body) for one in self.received]

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        content = request.rfile.read(int(request.headers["content-length"]))
        with self._lock:
            told = self.answers.pop(0) if self.answers else 204
            status, headers, body = told if isinstance(told, tuple) else (told, {}, b"")
            names = {name.lower(): value for name, value in request.headers.items()}
            self.received.append(Received(names, content, status))
        if status == 0:
            self._closing.wait()
            return
        request.send_response(status)
        for name, value in ({"content-length": str(len(body))} | headers).items():
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(body)

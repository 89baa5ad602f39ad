"""Answers that are decided after the request's own work is done, while no thread waits for them."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from django.core.handlers.asgi import ASGIHandler
from django.http import HttpResponse
from django.http.response import HttpResponseBase

logger = logging.getLogger(__name__)


class LateResponse(HttpResponse):
    """An answer that `settle` changes before it is sent: body, status, headers. As it is made, it is the answer without that.

    `settle` runs on the event loop. When the client leaves first, it is cancelled.
    """

    def __init__(self, settle: Callable[[LateResponse], Awaitable[None]], content: bytes = b"", **options: Any) -> None:
        super().__init__(content, **options)
        self._settle = settle

    async def settle(self) -> None:
        """Wait for what the answer depends on."""
        try:
            await self._settle(self)
        except Exception:
            logger.exception("An answer stayed as it was made")
        # Middleware counted the first body.
        self["Content-Length"] = str(len(self.content))


class LateHandler(ASGIHandler):
    """Django's, which waits for late answers before it sends them."""

    async def send_response(self, response: HttpResponseBase, send: Any) -> None:
        """Send it; a late one when it is settled."""
        if isinstance(response, LateResponse):
            await response.settle()
        await super().send_response(response, send)

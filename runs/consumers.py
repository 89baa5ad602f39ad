"""The live log's socket: lines out, nothing in."""

from __future__ import annotations

import asyncio
import json
import logging
from contextlib import aclosing
from urllib.parse import parse_qs
from uuid import UUID

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.db import DatabaseError

from accounts.authentication import NoValidToken, read_token
from runs.stream.watch import Gone, Reader, TooManyReaders, check_room, watch

logger = logging.getLogger(__name__)

NO_ACCESS = 4404
TOO_MANY = 4429
TRY_AGAIN = 1011
GONE = "This run does not exist, or you may no longer see it."


class RunConsumer(AsyncWebsocketConsumer):
    """`/ws/runs/<uuid>/?after=N`: what follows event N, until the run has ended."""

    # Readers wait for their tail, not for messages of their own.
    channel_layer_alias = ""

    async def connect(self) -> None:
        """Accept everybody, then say in the socket why it may close: browsers hide the reason of a refused one."""
        await self.accept()
        self._task = asyncio.create_task(self._send_lines())

    async def disconnect(self, code: int) -> None:
        """The reader left."""
        if task := getattr(self, "_task", None):
            task.cancel()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Clients have nothing to say."""

    async def _send_lines(self) -> None:
        try:
            reader = self._reader()
            person_id, run = await database_sync_to_async(reader.run)(self._uuid())
            check_room(person_id)
            async with aclosing(watch(run, self._after(), reader, person_id)) as batches:  # type: ignore[type-var]
                async for batch in batches:
                    for frame in batch.frames if batch else ('{"t":"ping"}',):
                        await self.send(text_data=frame)
            await self.close(1000)
        except (Gone, NoValidToken):
            await self._end(GONE, NO_ACCESS)
        except TooManyReaders as error:
            await self._end(error.message, TOO_MANY)
        except DatabaseError as error:
            # The page comes back by itself, and goes on where it was.
            logger.warning("The log of run %s can't be read now: %s", self._uuid(), error)
            await self.close(TRY_AGAIN)

    async def _end(self, reason: str, code: int) -> None:
        await self.send(text_data=json.dumps({"t": "gone", "reason": reason}))
        await self.close(code)

    def _after(self) -> int:
        text = parse_qs(self.scope["query_string"].decode("latin-1")).get("after", ["0"])[0]
        return min(int(text), 2**62) if text.isascii() and text.isdigit() and len(text) < 20 else 0

    def _uuid(self) -> UUID:
        uuid: UUID = self.scope["url_route"]["kwargs"]["uuid"]
        return uuid

    def _reader(self) -> Reader:
        """Who asks: by a bearer token, or by the session's cookie. Raises `NoValidToken`."""
        headers = dict(self.scope["headers"])
        kind, _, token = headers.get(b"authorization", b"").partition(b" ")
        if kind.lower() == b"bearer":
            return Reader(token=read_token(token), session_key=None)
        return Reader(token=None, session_key=self.scope["session"].session_key)

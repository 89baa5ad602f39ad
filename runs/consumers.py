"""The live log's socket: lines for pages or events for scripts go out, nothing comes in."""

from __future__ import annotations

import asyncio
import json
import logging
from contextlib import aclosing
from typing import TYPE_CHECKING
from urllib.parse import parse_qs
from uuid import UUID

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.db import DatabaseError

from accounts.authentication import NoValidToken, read_token
from runs.stream.frames import frames_of
from runs.stream.watch import Gone, Reader, TooManyReaders, check_room, watch

if TYPE_CHECKING:
    from runs.models import Run
    from runs.stream import Batch

logger = logging.getLogger(__name__)

NO_ACCESS = 4404
TOO_MANY = 4429
TRY_AGAIN = 1011
GONE = "This run does not exist, or you may no longer see it."


class RunConsumer(AsyncWebsocketConsumer):
    """`/ws/runs/<uuid>/?after=N`: what follows event N, until the run has ended.

    With `&format=events` each frame is one event as the API shows it and nothing else, and the socket closes when the run ends
    or waits for people, as the API's other streams do; why it was closed early stands in the closing frame.
    """

    # Readers wait for their tail, not for messages of their own.
    channel_layer_alias = ""

    async def connect(self) -> None:
        """Accept everybody, then say in the socket why it may close: browsers hide the reason of a refused one."""
        await self.accept()
        self._task = asyncio.create_task(self._send_run())

    async def disconnect(self, code: int) -> None:
        """The reader left."""
        if task := getattr(self, "_task", None):
            task.cancel()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Clients have nothing to say."""

    async def _send_run(self) -> None:
        try:
            reader = self._reader()
            person_id, run = await database_sync_to_async(reader.run)(self._uuid())
            check_room(person_id)
            live = watch(run, self._after(), reader, person_id, until_waits=self._wants_events)
            async with aclosing(live) as batches:  # type: ignore[type-var]
                async for batch in batches:
                    for frame in await self._frames(run, batch):
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

    async def _frames(self, run: Run, batch: Batch | None) -> tuple[str, ...]:
        """What is sent of a batch. Scripts need no word while nothing happens: the server's own pings keep the line open."""
        if self._wants_events:
            return batch.texts if batch else ()
        return await frames_of(run, batch) if batch else ('{"t":"ping"}',)

    async def _end(self, reason: str, code: int) -> None:
        if not self._wants_events:
            await self.send(text_data=json.dumps({"t": "gone", "reason": reason}))
        await self.close(code, reason)

    @property
    def _wants_events(self) -> bool:
        return self._asked("format") == "events"

    def _after(self) -> int:
        text = self._asked("after")
        return min(int(text), 2**62) if text.isascii() and text.isdigit() and len(text) < 20 else 0

    def _asked(self, name: str) -> str:
        text: str = parse_qs(self.scope["query_string"].decode("latin-1")).get(name, [""])[0]
        return text

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

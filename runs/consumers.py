"""The live log's socket: lines out, nothing in."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from rest_framework_simplejwt.authentication import JWTAuthentication
from rest_framework_simplejwt.exceptions import AuthenticationFailed, TokenError

from accounts.models import User
from accounts.queries import roles_of
from mindloom import wall
from runs.models import Run
from runs.stream import follow

RECHECK_SECONDS = 10.0
NO_ACCESS = 4404
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
        run = await self._run()
        if run is None:
            await self._gone()
            return
        checked = time.monotonic()
        with suppress(asyncio.CancelledError):
            async for batch in follow(run, self._after()):
                if time.monotonic() - checked > RECHECK_SECONDS:
                    checked = time.monotonic()
                    if await self._run() is None:
                        await self._gone()
                        return
                for frame in batch.frames if batch else ('{"t":"ping"}',):
                    await self.send(text_data=frame)
            await self.close(1000)

    async def _gone(self) -> None:
        await self.send(text_data=json.dumps({"t": "gone", "reason": GONE}))
        await self.close(NO_ACCESS)

    def _after(self) -> int:
        text = parse_qs(self.scope["query_string"].decode("latin-1")).get("after", ["0"])[0]
        return min(int(text), 2**62) if text.isascii() and text.isdigit() else 0

    async def _run(self) -> Run | None:
        run: Run | None = await database_sync_to_async(self._visible_run)()
        return run

    def _visible_run(self) -> Run | None:
        user = self._person()
        if user is None:
            return None
        with wall.tenant(roles_of(user)):
            return Run.objects.visible_to(user).filter(uuid=self._uuid()).first()

    def _uuid(self) -> UUID:
        uuid: UUID = self.scope["url_route"]["kwargs"]["uuid"]
        return uuid

    def _person(self) -> User | None:
        """The person of the session or of the bearer token, as the database knows them now."""
        headers = dict(self.scope["headers"])
        kind, _, token = headers.get(b"authorization", b"").decode("latin-1").partition(" ")
        if kind.lower() == "bearer":
            reader = JWTAuthentication()
            try:
                found: Any = reader.get_user(reader.get_validated_token(token.encode()))
            except (AuthenticationFailed, TokenError):
                return None
            return found if isinstance(found, User) else None
        user = self.scope.get("user")
        if user is None or not user.is_authenticated:
            return None
        session = self.scope["session"]
        if not session.session_key or not session.exists(session.session_key):
            return None
        return User.objects.filter(pk=user.pk, is_active=True).first()

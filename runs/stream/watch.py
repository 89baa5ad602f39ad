"""Following a run for as long as the reader may see it: what a connection that stays open has to ask again and again."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from channels.db import database_sync_to_async
from django.core.cache import cache
from django.db import DatabaseError
from redis.exceptions import RedisError

from accounts.authentication import person_behind
from accounts.queries import ended_key, roles_of
from mindloom import wall
from mindloom.web.errors import MindloomError
from runs.models import Run
from runs.stream.tails import follow

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from uuid import UUID

    from rest_framework_simplejwt.tokens import AccessToken

    from accounts.authentication import PersonalKey
    from accounts.models import User
    from runs.stream.tails import Batch

logger = logging.getLogger(__name__)

RECHECK_SECONDS = 10.0
LISTEN_SECONDS = 1.5
"""How soon a connection hears that its person was signed out."""
MOST_AT_ONCE = 100
"""Runs that one person may follow at once in one web process: tabs and scripts, but not a flood."""

_open: Counter[int] = Counter()


class Gone(Exception):
    """The reader may not see the run any more."""


class TooManyReaders(MindloomError):
    """You follow too many runs at once. Close some of the pages or streams, then try again."""

    code = "too_many_streams"
    status = 429


@dataclass(frozen=True)
class Reader:
    """Who follows a run: by an access token or a personal one, or else by a session."""

    token: AccessToken | PersonalKey | None
    session_key: str | None

    def run(self, uuid: UUID) -> tuple[int, Run]:
        """The person's id and the run, as the database has them now. Raises `Gone` when they may not see it (any more)."""
        with self.seeing(uuid) as (person, run):
            return person.pk, run

    @contextmanager
    def seeing(self, uuid: UUID) -> Iterator[tuple[User, Run]]:
        """The person and the run, with what belongs to the run in sight. Raises `Gone` as `run` does."""
        person = person_behind(self.token, self.session_key)
        with wall.tenant(roles_of(person) if person else ()):
            run = Run.objects.visible_to(person).filter(uuid=uuid).first() if person else None
            if person is None or run is None:
                raise Gone
            yield person, run


def check_room(person_id: int) -> None:
    """Raises `TooManyReaders` when this person follows as many runs as one may."""
    if _open[person_id] >= MOST_AT_ONCE:
        raise TooManyReaders


async def watch(
    run: Run, after: int, reader: Reader, person_id: int, *, until_waits: bool = False
) -> AsyncIterator[Batch | None]:
    """`follow`, until the reader has signed out, expired, been deactivated or lost the run: then raises `Gone`."""
    _open[person_id] += 1
    checked, mark = time.monotonic(), None
    batches = follow(run, after, until_waits=until_waits)
    coming: asyncio.Future[Batch | None] | None = None
    try:
        while True:
            coming = coming or asyncio.ensure_future(anext(batches))
            await asyncio.wait({coming}, timeout=LISTEN_SECONDS)
            now = await _marks.of(person_id)
            if now != mark or time.monotonic() - checked >= RECHECK_SECONDS:
                await _check(run, reader)
                checked, mark = time.monotonic(), now
            if coming.done():
                try:
                    batch = coming.result()
                except StopAsyncIteration:
                    return
                coming = None
                yield batch
    finally:
        await _put_away(batches, coming)
        _open[person_id] -= 1
        if not _open[person_id]:
            del _open[person_id]


async def _put_away(batches: AsyncIterator[Batch | None], coming: asyncio.Future[Batch | None] | None) -> None:
    """End what is read for a reader who left."""
    if coming is not None:
        coming.cancel()
        with suppress(asyncio.CancelledError, StopAsyncIteration, Exception):
            await coming
    await batches.aclose()  # type: ignore[attr-defined]


class _Marks:
    """Of whom something was ended of late: asked of Redis once for all readers of this process, not once for each."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}
        self._asked_at = float("-inf")

    async def of(self, person_id: int) -> str | None:
        """Changes when something that was open in this person's name was ended. Without Redis what was known before."""
        if time.monotonic() - self._asked_at >= LISTEN_SECONDS:
            self._asked_at = time.monotonic()
            try:
                self._known = await cache.aget_many([ended_key(one) for one in _open])
            except RedisError:
                logger.warning("Redis does not answer; whether streams may go on is asked less often.")
        return self._known.get(ended_key(person_id))


_marks = _Marks()


async def _check(run: Run, reader: Reader) -> None:
    """Nothing more is handed out before the database has said yes, however long it is away."""
    while True:
        try:
            await database_sync_to_async(reader.run)(run.uuid)
        except DatabaseError as error:
            logger.warning("Whether run %s may still be followed can't be read now: %s", run.pk, error)
            await asyncio.sleep(1)
        else:
            return

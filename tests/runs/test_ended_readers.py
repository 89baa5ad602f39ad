"""Whoever is signed out, elsewhere or by somebody else, sees no more of a live log within seconds."""

from __future__ import annotations

import asyncio
import time

import pytest
from channels.db import database_sync_to_async

from accounts import services
from tests.runs.test_consumer import bearer, cookie, frames_until_closed, run, socket  # noqa: F401 -- a fixture

SECONDS = 5.0


@database_sync_to_async
def end_everything(cast) -> None:
    services.end_everything(actor=cast.bob)


@database_sync_to_async
def deactivate(cast) -> None:
    services.deactivate_person(actor=cast.ada, person=cast.bob)


@database_sync_to_async
def new_password(cast) -> None:
    services.change_password(actor=cast.bob, current="correct horse battery", new="a wholly new pass phrase")


@database_sync_to_async
def revoke(cast) -> None:
    services.revoke_token(actor=cast.bob, uuid=cast.bob.personal_tokens.get().uuid)


@database_sync_to_async
def personal(user) -> tuple[bytes, bytes]:
    _, text = services.make_token(actor=user, name="Watcher", scopes=["read"], days=1)
    return b"authorization", f"Bearer {text}".encode()


async def closes(communicator) -> float:
    """Seconds until the socket is closed, with a word why."""
    begun = time.monotonic()
    frames = await frames_until_closed(communicator)
    assert frames[-1]["t"] == "gone"
    return time.monotonic() - begun


@pytest.mark.parametrize("end", [end_everything, deactivate, new_password])
async def test_a_page_s_live_log_closes_by_itself(run, cast, end):  # noqa: F811
    communicator = await socket(run, [(b"cookie", await cookie(cast.bob))])
    await asyncio.sleep(0.5)
    await end(cast)

    assert await closes(communicator) < SECONDS


@pytest.mark.parametrize("end", [end_everything, deactivate])
async def test_a_script_s_live_log_closes_by_itself(run, cast, end):  # noqa: F811
    communicator = await socket(run, [await bearer(cast.bob)])
    await asyncio.sleep(0.5)
    await end(cast)

    assert await closes(communicator) < SECONDS


@pytest.mark.parametrize("end", [revoke, deactivate])
async def test_a_personal_token_s_live_log_closes_by_itself(run, cast, end):  # noqa: F811
    communicator = await socket(run, [await personal(cast.bob)])
    await asyncio.sleep(0.5)
    await end(cast)

    assert await closes(communicator) < SECONDS


async def test_personal_tokens_outlive_the_end_of_sessions(run, cast):  # noqa: F811
    communicator = await socket(run, [await personal(cast.bob)])
    await asyncio.sleep(0.5)
    await end_everything(cast)

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(frames_until_closed(communicator), 3)

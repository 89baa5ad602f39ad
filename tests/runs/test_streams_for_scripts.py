"""NDJSON, server-sent events and the websocket give scripts the same events, byte by byte, from any place on."""

from __future__ import annotations

import asyncio
import json

import pytest
from channels.db import database_sync_to_async

from accounts.models import User
from mindloom import wall
from mindloom.engine.events import RunWaiting
from runs.models import Run, State, append
from runs.signals import ring
from runs.stream.downloads import log_lines, ndjson, server_sent
from runs.stream.watch import Reader, watch
from tests.runs.test_consumer import QUEUED, bearer, cookie, gone, run, socket, write

__all__ = ["run"]


@database_sync_to_async
def now(run) -> Run:
    with wall.tenant([run.department_id]):
        return Run.objects.get(pk=run.pk)


async def by_ndjson(run, after: int, **options) -> list[str]:
    text = b"".join([part async for part in ndjson(watch(await now(run), after, READER, 1, until_waits=True))])
    return [line for line in text.decode().split("\n") if line]


async def by_server_sent_events(run, after: int) -> list[str]:
    text = b"".join([part async for part in server_sent(watch(await now(run), after, READER, 1, until_waits=True))])
    return [line.removeprefix("data: ") for line in text.decode().split("\n") if line.startswith("data: ")]


async def by_websocket(run, after: int) -> list[str]:
    bob = await User.objects.aget(email="bob@example.org")
    return (await talk(run, await bearer(bob), f"format=events&after={after}"))[0]


async def talk(run, header, query: str) -> tuple[list[str], dict]:
    """The frames of the socket as they came, and how it was closed."""
    communicator, frames = await socket(run, [header], query), []
    while (message := await communicator.receive_output(10))["type"] != "websocket.close":
        frames += [message["text"]] if message["type"] == "websocket.send" else []
    await gone(communicator)
    return frames, message


READER = Reader(token=None, session_key=None)
WAYS = [by_ndjson, by_server_sent_events, by_websocket]


@pytest.mark.parametrize("after", [0, 1, 3, 4, 5, 6, 400])
async def test_all_ways_give_the_same_bytes_from_any_place_on(run, after):
    await write(run, "a", "bü\n", "c", "d", end=True)
    *whole, footer = b"".join([part async for part in log_lines(await now(run))]).decode().splitlines()

    for way in WAYS:
        assert await asyncio.wait_for(way(run, after), 10) == whole[after:], way.__name__
    assert json.loads(footer)["footer"]["events"] == len(whole)


async def test_all_ways_give_the_same_bytes_while_the_run_is_under_way(run):
    await write(run, "a", "b")
    readings = [asyncio.create_task(way(run, after)) for way in WAYS for after in (0, 1, 2)]
    await asyncio.sleep(0.2)
    await write(run, "c")
    late = [asyncio.create_task(way(run, 3)) for way in WAYS]
    await write(run, "d", end=True)
    first, second, third, *others = [await asyncio.wait_for(one, 10) for one in readings]

    assert [json.loads(text)["seq"] for text in first] == [1, 2, 3, 4, 5]
    assert (second, third) == (first[1:], first[2:])
    assert others == [first, second, third] * 2
    assert [await asyncio.wait_for(one, 10) for one in late] == [first[3:]] * 3


async def test_all_ways_end_when_the_run_waits_for_people(run):
    @database_sync_to_async
    def wait() -> None:
        with wall.tenant([run.department_id]):
            waits = RunWaiting(reason="waiting_for_person", message="May I?")
            append(run.pk, [waits], guard=QUEUED, state=State.WAITING)
        ring(run.uuid)

    await write(run, "a")
    readings = [asyncio.create_task(way(run, 0)) for way in WAYS]
    await asyncio.sleep(0.2)
    await wait()
    first, *others = [await asyncio.wait_for(one, 10) for one in readings]

    assert json.loads(first[-1])["type"] == "run.waiting"
    assert others == [first, first]
    assert [await asyncio.wait_for(way(run, 2), 10) for way in WAYS] == [[], [], []]


async def test_a_script_is_told_in_the_closing_frame_that_there_is_nothing(run, cast):
    await write(run, "secret")
    frames, closing = await talk(run, await bearer(cast.mallory), "format=events")

    assert frames == []
    assert (closing["code"], closing["reason"]) == (4404, "This run does not exist, or you may no longer see it.")


async def test_a_script_with_a_token_needs_no_origin(run, cast):
    await write(run, "a", end=True)
    communicator = await socket(run, [await bearer(cast.bob)], "format=events", origin=None)

    assert (await communicator.receive_output(10))["type"] == "websocket.accept"


@pytest.mark.parametrize("origin", [None, b"http://evil.example"])
async def test_a_cookie_counts_on_our_pages_only(run, cast, origin):
    communicator = await socket(run, [(b"cookie", await cookie(cast.bob))], "format=events", origin=origin)

    assert (await communicator.receive_output(5))["type"] == "websocket.close"

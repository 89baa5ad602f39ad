"""The live log's socket."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime

import pytest
from asgiref.testing import ApplicationCommunicator
from channels.db import database_sync_to_async
from django.conf import settings
from django.db import OperationalError
from django.test import Client

from accounts.models import BrowserSession, Membership
from accounts.services import issue_tokens
from mindloom import wall
from mindloom.engine.events import LogWritten, RunCompleted
from runs.models import Guard, State, append
from runs.signals import ring
from runs.worker.endings import terminal_changes
from tests import factories

QUEUED = Guard(states=(State.QUEUED,))


@pytest.fixture
def run(cast, transactional_db):
    with wall.tenant([cast.marketing.pk]):
        return factories.run(factories.agent(cast.alice, cast.marketing), cast.bob)


@database_sync_to_async
def write(run, *texts: str, end: bool = False) -> None:
    with wall.tenant([run.department_id]):
        append(run.pk, [LogWritten(level="info", message=text) for text in texts], guard=QUEUED)
        if end:
            done = RunCompleted(output="done")
            append(run.pk, [done], guard=QUEUED, finished_at=datetime.now(UTC), **terminal_changes(done))
    ring(run.uuid)


@database_sync_to_async
def cookie(user) -> bytes:
    client = Client()
    client.force_login(user, backend="accounts.backends.EmailBackend")
    return f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}".encode()


@database_sync_to_async
def bearer(user) -> tuple[bytes, bytes]:
    return b"authorization", f"Bearer {issue_tokens(actor=user)['access']}".encode()


@database_sync_to_async
def new_password(user) -> None:
    user.set_password("another horse battery")
    user.save()


def application():
    from mindloom.asgi import application  # asks the database about the wall when it is loaded

    return application


async def socket(run, headers, query: str = "", origin: bytes | None = b"http://localhost") -> ApplicationCommunicator:
    scope = {
        "type": "websocket",
        "path": f"/ws/runs/{run.uuid}/",
        "query_string": query.encode(),
        "headers": [(b"host", b"localhost"), *([(b"origin", origin)] if origin else []), *headers],
        "subprotocols": [],
    }
    communicator = ApplicationCommunicator(await database_sync_to_async(application)(), scope)
    await communicator.send_input({"type": "websocket.connect"})
    return communicator


async def gone(communicator) -> None:
    """The client has heard that it is over, and leaves."""
    await communicator.send_input({"type": "websocket.disconnect", "code": 1000})
    await communicator.wait()


async def frames_until_closed(communicator) -> list[dict]:
    frames = []
    while True:
        message = await communicator.receive_output(10)
        if message["type"] == "websocket.close":
            await gone(communicator)
            return frames
        if message["type"] == "websocket.send":
            frames.append(json.loads(message["text"]))


async def lines(run, headers, query: str = "") -> list[int]:
    frames = await frames_until_closed(await socket(run, headers, query))
    return [line["n"] for frame in frames if frame["t"] == "lines" for line in frame["lines"]]


async def test_a_reader_gets_what_was_written_before_and_after(run, cast):
    await write(run, "a", "b")
    reading = asyncio.create_task(lines(run, [(b"cookie", await cookie(cast.carol))]))
    await asyncio.sleep(0.2)
    await write(run, "c", end=True)

    assert await reading == [1, 2, 3, 4]


async def test_a_reader_who_returns_gets_only_what_is_new(run, cast):
    await write(run, "a", "b", end=True)

    assert await lines(run, [(b"cookie", await cookie(cast.bob))], "after=2") == [3]


async def test_a_script_follows_with_its_token(run, cast):
    await write(run, "a", end=True)

    assert await lines(run, [await bearer(cast.bob)]) == [1, 2]


async def test_a_token_of_a_former_password_gets_nothing(run, cast):
    await write(run, "a", end=True)
    header = await bearer(cast.bob)
    await new_password(cast.bob)

    assert await lines(run, [header]) == []


@pytest.mark.parametrize("who", ["mallory", "nora", None])
async def test_others_are_told_that_there_is_nothing(run, cast, who):
    await write(run, "secret")
    headers = [(b"cookie", await cookie(getattr(cast, who)))] if who else []
    frames = await frames_until_closed(await socket(run, headers))

    assert [frame["t"] for frame in frames] == ["gone"]


async def test_a_token_that_is_none_gets_nothing(run):
    communicator = await socket(run, [(b"authorization", b"Bearer nonsense")])

    assert [frame["t"] for frame in await frames_until_closed(communicator)] == ["gone"]


@database_sync_to_async
def remove(user) -> None:
    with wall.system("tests: a manager removes somebody"):
        Membership.objects.filter(user=user).delete()


@database_sync_to_async
def deactivate(user) -> None:
    type(user).objects.filter(pk=user.pk).update(is_active=False)


@database_sync_to_async
def sign_out(user) -> None:
    BrowserSession.objects.all().delete()


@pytest.mark.parametrize("end", [remove, deactivate, sign_out, new_password])
async def test_a_reader_who_loses_access_is_shown_out(run, cast, monkeypatch, end):
    monkeypatch.setattr("runs.stream.watch.RECHECK_SECONDS", 0.0)
    communicator = await socket(run, [(b"cookie", await cookie(cast.carol))])
    await asyncio.sleep(0.2)

    await end(cast.carol)
    await write(run, "not for Carol")
    assert [frame["t"] for frame in await frames_until_closed(communicator)] == ["gone"]


@pytest.mark.parametrize("end", [remove, deactivate, new_password])
async def test_a_script_that_loses_access_is_shown_out(run, cast, monkeypatch, end):
    monkeypatch.setattr("runs.stream.watch.RECHECK_SECONDS", 0.0)
    communicator = await socket(run, [await bearer(cast.bob)])
    await asyncio.sleep(0.2)

    await end(cast.bob)
    await write(run, "not for Bob")
    assert [frame["t"] for frame in await frames_until_closed(communicator)] == ["gone"]


async def test_nobody_follows_more_than_a_bounded_number_at_once(run, cast, monkeypatch):
    monkeypatch.setattr("runs.stream.watch.MOST_AT_ONCE", 1)
    first = await socket(run, [(b"cookie", await cookie(cast.bob))])
    await asyncio.sleep(0.2)
    second = await frames_until_closed(await socket(run, [(b"cookie", await cookie(cast.bob))]))
    await write(run, "a", end=True)

    assert [frame["t"] for frame in second] == ["gone"]
    assert any(frame["t"] == "lines" for frame in await frames_until_closed(first))


async def test_a_socket_is_closed_for_another_try_when_the_database_is_away(run, cast, monkeypatch):
    def away(*_):
        raise OperationalError

    headers = [(b"cookie", await cookie(cast.bob))]
    monkeypatch.setattr("runs.stream.watch.person_behind", away)

    assert await frames_until_closed(await socket(run, headers)) == []


async def test_another_site_gets_no_socket(run, cast):
    communicator = await socket(run, [(b"cookie", await cookie(cast.bob))], origin=b"http://evil.example")

    assert (await communicator.receive_output(5))["type"] == "websocket.close"

"""Who may follow a run live: the websocket's row of the route matrix."""

from __future__ import annotations

import asyncio
import json
from uuid import uuid4

import pytest
from asgiref.testing import ApplicationCommunicator
from channels.db import database_sync_to_async
from django.db import connections
from django.urls import URLPattern

from accounts.services import issue_tokens
from mindloom.urls import websocket_urlpatterns
from tests.api import stage as stages

PATIENCE_SECONDS = 20
ROUTES = {"ws/runs/<uuid:uuid>/"}
FOLLOW = {
    None: "gone",
    "carol": "lines",
    "bob": "lines",
    "alice": "lines",
    "mallory": "gone",
    "nora": "gone",
    "ada": "lines",
}
people = pytest.mark.parametrize(("person", "frame"), FOLLOW.items(), ids=map(str, FOLLOW))


@pytest.fixture
def stage(transactional_db, cast):
    return stages.build(cast)


def socket_of(uuid, **headers):
    from mindloom.asgi import application  # looks at the database when it is loaded

    path = f"/ws/runs/{uuid}/"
    sent = {"host": "localhost", "origin": "http://localhost"} | headers
    scope = {
        "type": "websocket",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"after=0",
        "headers": [(name.encode(), value.encode()) for name, value in sent.items()],
        "subprotocols": [],
    }
    return ApplicationCommunicator(application, scope)


async def opened(socket):
    """What the server answers to the handshake: "websocket.accept" or "websocket.close"."""
    await socket.send_input({"type": "websocket.connect"})
    return (await socket.receive_output(PATIENCE_SECONDS))["type"]


def first_frame(uuid, **headers):
    """The kind of the first frame that a visitor of the run's socket gets, and its text."""

    async def visit():
        socket = socket_of(uuid, **headers)
        try:
            assert await opened(socket) == "websocket.accept"
            text = (await socket.receive_output(PATIENCE_SECONDS))["text"]
            await socket.send_input({"type": "websocket.disconnect", "code": 1000})
            await socket.wait(PATIENCE_SECONDS)
        finally:
            await database_sync_to_async(connections.close_all)()
        return json.loads(text)["t"], text

    return asyncio.run(visit())


def test_every_socket_is_in_this_file():
    assert {str(route.pattern) for route in websocket_urlpatterns if isinstance(route, URLPattern)} == ROUTES


@people
def test_a_browser_follows_what_its_person_may_see(stage, client_as, person, frame):
    client = client_as(getattr(stage.cast, person) if person else None)
    cookie = client.cookies.output(header="", sep=";").partition(";")[0].strip()
    kind, text = first_frame(stage.done.uuid, **({"cookie": cookie} if cookie else {}))

    assert kind == frame
    assert ("plan" in text or "Completed" in text) == (frame == "lines")


@people
def test_a_script_follows_what_its_person_may_see(stage, person, frame):
    user = getattr(stage.cast, person) if person else None
    token = issue_tokens(actor=user)["access"] if user else "no-such-token"

    assert first_frame(stage.done.uuid, authorization=f"Bearer {token}")[0] == frame


def test_a_run_that_does_not_exist_is_answered_as_one_that_is_not_theirs(stage):
    bearer = f"Bearer {issue_tokens(actor=stage.cast.mallory)['access']}"
    assert first_frame(uuid4(), authorization=bearer) == first_frame(stage.done.uuid, authorization=bearer)


def test_a_page_of_another_site_gets_no_socket(stage):
    answer = asyncio.run(opened(socket_of(stage.done.uuid, origin="https://elsewhere.example")))
    assert answer == "websocket.close"

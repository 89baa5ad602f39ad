"""Limits that start anew with each test, and mail that is delivered at once."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.conf import settings
from django.core.cache import cache
from django.test import Client

from accounts.services import mail
from tests.conftest import PASSWORD


@pytest.fixture(autouse=True)
def fresh_limits():
    # `cache.clear()` would empty the whole server, with what other tests keep there.
    client = cache._cache.get_client(write=True)
    for key in client.scan_iter(f"{settings.REDIS_PREFIX}:*"):
        client.delete(key)


class AtOnce:
    def submit(self, function, *args):
        function(*args)


@pytest.fixture(autouse=True)
def mail_at_once(monkeypatch):
    monkeypatch.setattr(mail, "_post", AtOnce())


class Api:
    """A script that talks JSON, with a token when it has one."""

    def __init__(self, token: str = "") -> None:
        self.client = Client(headers={"Authorization": f"Bearer {token}"} if token else None)

    def send(self, method: str, path: str, body: object = None, **headers: str):
        return self.client.generic(
            method,
            f"/api/v1/{path}",
            body if isinstance(body, str | bytes) else json.dumps(body),
            "application/json",
            headers={name.replace("_", "-"): value for name, value in headers.items()},
        )

    def get(self, path: str):
        return self.client.get(f"/api/v1/{path}")

    def post(self, path: str, body: object = None, **headers: str):
        return self.send("POST", path, body, **headers)

    def patch(self, path: str, body: object):
        return self.send("PATCH", path, body)

    def delete(self, path: str):
        return self.client.delete(f"/api/v1/{path}")


@pytest.fixture
def api():
    return Api


@pytest.fixture
def tokens_of(cast):
    """Sign a person in at the API's door."""

    def sign_in(user, password: str = PASSWORD) -> dict:
        response = Api().post("auth/login", {"email": user.email, "password": password})
        assert response.status_code == 200, response.content
        return response.json()

    return sign_in


@pytest.fixture
def link_in():
    """The path of the link in a mail."""

    def find(message, part: str) -> str:
        found = re.search(rf"https?://[^/\s]+(/{part}\S+)", message.body)
        assert found, message.body
        return found[1]

    return find


@pytest.fixture
def time_machine_at():
    """Moves the clock so many seconds ahead, until the test ends."""
    travels = []

    def ahead(seconds: float) -> None:
        travel = time_machine.travel(datetime.now(UTC) + timedelta(seconds=seconds), tick=True)
        travel.start()
        travels.append(travel)

    yield ahead
    for travel in reversed(travels):
        travel.stop()

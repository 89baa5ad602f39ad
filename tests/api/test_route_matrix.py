"""Who may do what: every route and method, for each kind of person, at objects of Marketing. The table is `matrix.py`, with those beside it.

Ada, the administrator, works in Marketing here. Pages send strangers to the sign-in page (302), the API answers 401.
404: not for you; 403: you see it, but may not do this. A route, or a method of one, without a row fails.
"""

from __future__ import annotations

import json
from http.cookies import SimpleCookie

import pytest
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.signals import request_finished
from django.db import close_old_connections, transaction
from django.test import Client
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart
from django.urls import reverse

from accounts.services import issue_tokens
from mindloom.web.api import StrangerThrottle
from tests.api import stage as stages
from tests.api.matrix import MATRIX
from tests.api.matrix_doors import DOORS
from tests.api.routes import every_route

API = ("api:", "openai:")
PEOPLE = (None, "carol", "bob", "alice", "mallory", "ada")
ROWS = [line.split() for line in (MATRIX + DOORS).splitlines() if line and not line.startswith("#")]
ROUTES = {route.name: route for route in every_route() if not route.is_admin}


@pytest.fixture
def stage(standing, db, monkeypatch):
    monkeypatch.setattr(StrangerThrottle, "allow_request", lambda *_: True)
    return standing


def visitor(stage, person, route):
    user = getattr(stage.cast, person) if person else None
    if user is None:
        return Client()
    if route.startswith(API):
        return Client(headers={"Authorization": f"Bearer {issue_tokens(actor=user)['access']}"})
    client = Client()
    client.cookies = SimpleCookie({settings.SESSION_COOKIE_NAME: stage.sessions[person]})
    return client


def address(stage, method, route):
    known = ROUTES[route]
    if route == "^api/":
        return "/api/no-such-address"
    return reverse(route, kwargs=stages.arguments(stage, method, route, set(known.parts)))


def send(client, stage, method, route):
    """The answer to the route's own request: JSON to the API, forms to pages and where there is a file."""
    path = address(stage, method, route)
    if method == "GET":
        return client.get(path)
    content = stages.body(stage, method, route)
    if any(isinstance(value, ContentFile) for value in content.values()):
        return client.generic(method, path, encode_multipart(BOUNDARY, content), MULTIPART_CONTENT)
    if route.startswith(API):
        return client.generic(method, path, json.dumps(content), "application/json")
    return client.post(path, content)


def put_away(answer):
    """Close a streamed answer that nobody reads, as the test client does: the connection has a transaction under way."""
    request_finished.disconnect(close_old_connections)
    answer.close()
    request_finished.connect(close_old_connections)


def visit(stage, person, method, route):
    """The status that the person gets; whatever the visit changed is undone."""
    client = visitor(stage, person, route)
    with transaction.atomic():
        answer = send(client, stage, method, route)
        if answer.streaming:
            put_away(answer)
        transaction.set_rollback(True)
    return str(answer.status_code)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0]} {row[1]}")
def test_each_person_gets_what_the_table_says(stage, row):
    method, route, *wanted = row
    assert {person: visit(stage, person, method, route) for person in PEOPLE} == dict(zip(PEOPLE, wanted, strict=True))


def test_every_method_of_every_route_has_one_row(stage):
    found = []
    for route in ROUTES:
        # A method that nobody has makes the route tell which ones it has.
        answer = visitor(stage, "ada", route).generic("PURGE", address(stage, "GET", route))
        allowed = {one.strip() for one in answer.headers.get("Allow", "GET").split(",")}
        found += [f"{method} {route}" for method in allowed - {"HEAD", "OPTIONS"}]
    assert sorted(f"{method} {route}" for method, route, *_ in ROWS) == sorted(found)


# --- the Django admin, which is for administrators ---

ADMIN_ROUTES = sorted({route.name for route in every_route() if route.is_admin and route.name.startswith("admin:")})
OPEN = {"admin:login", "admin:logout"}


def admin_address(stage, route):
    known = next(one for one in every_route() if one.name == route)
    values = {"object_id": str(stage.agent.pk), "app_label": "agents", "content_type_id": 1, "url": "x/"}
    return reverse(route, kwargs={part: values[part] for part in known.parts if part in values})


@pytest.mark.parametrize("person", [None, "carol", "bob", "alice", "mallory"], ids=str)
def test_the_admin_sends_everybody_else_to_its_sign_in_page(stage, person):
    client = visitor(stage, person, "admin:index")
    for route in ADMIN_ROUTES:
        answer = client.get(admin_address(stage, route))
        if route not in OPEN:
            assert answer.status_code == 302, route
            assert answer.headers["Location"].startswith(f"/{settings.ADMIN_PATH}/login/"), route


def test_the_admin_answers_the_administrator(stage):
    client = visitor(stage, "ada", "admin:index")
    statuses = {
        route: client.get(admin_address(stage, route)).status_code for route in ADMIN_ROUTES if "logout" not in route
    }
    assert {route: status for route, status in statuses.items() if status not in {200, 302, 403, 404, 405}} == {}
    assert statuses["admin:index"] == statuses["admin:agents_agent_changelist"] == 200

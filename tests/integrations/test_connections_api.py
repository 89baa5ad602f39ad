"""The API's connections."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from django.test import Client

from accounts.services import issue_tokens
from integrations.models import Connection
from integrations.tools.connections import KINDS
from mindloom import wall
from tests import factories

pytestmark = pytest.mark.django_db
PASSWORD = "very-secret-pass-5678"
NEW = {
    "kind": "smtp",
    "name": "Office mail",
    "settings": {"host": "mail.example.org", "user": "office", "from_address": "office@example.org"},
    "secrets": {"password": PASSWORD},
}


@pytest.fixture
def api(cast):
    def call(person, method, path, body=None, **headers):
        client = Client(headers={"Authorization": f"Bearer {issue_tokens(actor=person)['access']}", **headers})
        return client.generic(method, f"/api/v1/{path}", json.dumps(body or {}), "application/json")

    return call


@pytest.fixture
def office(cast):
    with wall.system("tests: a connection"):
        return factories.connection(cast.bob, cast.marketing, password=PASSWORD)


def test_a_connection_is_made_and_shown_without_its_secret(api, cast):
    made = api(cast.bob, "POST", "connections", NEW)
    assert made.status_code == 201
    shown = api(cast.bob, "GET", made.headers["Location"].removeprefix("/api/v1/"))
    assert shown.json() == made.json()
    assert shown.json()["settings"]["port"] == "587"
    assert shown.json()["secrets"] == {"password": "5678"}
    assert shown.json()["may_edit"] is True
    for answer in (made, shown, api(cast.bob, "GET", "connections")):
        assert PASSWORD not in answer.content.decode()


def test_a_request_that_is_repeated_makes_one(api, cast):
    first = api(cast.bob, "POST", "connections", NEW, **{"Idempotency-Key": "once"})
    second = api(cast.bob, "POST", "connections", NEW, **{"Idempotency-Key": "once"})
    assert second.json() == first.json()
    assert second.headers["Idempotency-Replayed"] == "true"
    with wall.system("tests: count"):
        assert Connection.objects.count() == 1


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"kind": "pigeon"}, "kind"),
        ({"name": ""}, "name"),
        ({"colour": "red"}, "colour"),
        ({"visibility": "everyone"}, "visibility"),
        ({"settings": {"host": "mail.example.org"}}, "settings.from_address"),
        ({"settings": NEW["settings"] | {"speed": "1"}}, "speed"),
        ({"settings": NEW["settings"] | {"password": PASSWORD}}, "settings.password"),
        ({"secrets": {"host": "mail.example.org"}}, "secrets.host"),
        ({"secrets": {"password": PASSWORD + "\n"}}, None),
        ({"secrets": {"password": "a\nb"}}, "secrets.password"),
        ({"secrets": {"password": {"a": 1}}}, "secrets.password"),
        ({"department": "00000000-0000-0000-0000-000000000000"}, "department"),
    ],
)
def test_what_is_wrong_is_said_by_field(api, cast, change, field):
    answer = api(cast.bob, "POST", "connections", NEW | change)
    assert answer.status_code == (400 if field else 201)
    assert PASSWORD not in answer.content.decode()
    if field:
        assert field in answer.json()["fields"]


def test_changes_keep_what_is_left_out(api, cast, office):
    path = f"connections/{office.uuid}"
    answer = api(cast.bob, "PATCH", path, {"name": "Post", "settings": {"from_address": "post@example.org"}})
    assert answer.json()["name"] == "Post"
    assert answer.json()["settings"] == office.settings | {"from_address": "post@example.org"}
    assert answer.json()["secrets"] == {"password": "5678"}
    assert api(cast.bob, "PATCH", path, {"secrets": {"password": ""}}).json()["secrets"] == {"password": "5678"}
    assert api(cast.bob, "PATCH", path, {"secrets": {"password": None}}).json()["secrets"] == {}
    assert api(cast.bob, "PATCH", path, {"is_enabled": False}).json()["is_enabled"] is False


def test_another_host_asks_for_the_secret_again(api, cast, office):
    answer = api(cast.bob, "PATCH", f"connections/{office.uuid}", {"settings": {"host": "evil.example.org"}})
    assert answer.status_code == 400
    assert "secrets.password" in answer.json()["fields"]


def test_the_list_is_filtered(api, cast, office):
    with wall.system("tests: another"):
        factories.connection(cast.alice, cast.marketing, name="Figures", kind="sql")

    def names(query):
        return [one["name"] for one in api(cast.bob, "GET", f"connections{query}").json()["results"]]

    assert names("") == ["Figures", "Office mail"]
    assert names("?kind=smtp") == ["Office mail"]
    assert names("?q=fig") == ["Figures"]
    assert names(f"?department={cast.finance.uuid}") == []


def test_a_list_of_many_asks_the_database_no_more_often(api, cast, django_assert_max_num_queries):
    with wall.system("tests: many"):
        for number in range(30):
            factories.connection(cast.bob, cast.marketing, name=f"Number {number}")
    with django_assert_max_num_queries(20):
        assert len(api(cast.bob, "GET", "connections").json()["results"]) == 30


def test_a_connection_is_tested_and_deleted(api, cast, office, monkeypatch):
    monkeypatch.setitem(KINDS, "smtp", replace(KINDS["smtp"], test=lambda values: f"Yes, {values['password']}"))
    answer = api(cast.bob, "POST", f"connections/{office.uuid}/test", {})
    assert answer.json()["ok"] is True
    assert PASSWORD not in answer.content.decode()
    assert api(cast.bob, "GET", f"connections/{office.uuid}").json()["last_test_ok"] is True
    assert api(cast.bob, "DELETE", f"connections/{office.uuid}").status_code == 204
    assert api(cast.bob, "GET", f"connections/{office.uuid}").status_code == 404


def test_the_kinds_say_what_they_ask_for(api, cast):
    kinds = {one["key"]: one for one in api(cast.carol, "GET", "connection-kinds").json()}
    assert list(kinds) == list(KINDS)
    fields = {one["name"]: one for one in kinds["smtp"]["fields"]}
    assert fields["password"]["kind"] == "secret"
    assert fields["security"]["choices"] == ["starttls", "ssl", "none"]


def test_others_of_the_department_see_but_do_not_change(api, cast, office):
    assert api(cast.carol, "GET", f"connections/{office.uuid}").json()["may_edit"] is False
    assert api(cast.carol, "PATCH", f"connections/{office.uuid}", {"name": "X"}).status_code == 403
    assert api(cast.mallory, "GET", f"connections/{office.uuid}").status_code == 404

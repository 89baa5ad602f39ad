"""The API of webhooks."""

from __future__ import annotations

import json

import pytest
from django.test import Client

from accounts.models import RememberedAnswer
from accounts.services import issue_tokens
from mindloom import wall

pytestmark = pytest.mark.django_db
NEW = {"name": "Tickets", "url": "https://tickets.example.org/hook"}


@pytest.fixture
def call(cast):
    clients = {}

    def send(method, path, body=None, who="alice", **headers):
        if who not in clients:
            clients[who] = Client(
                headers={"Authorization": f"Bearer {issue_tokens(actor=getattr(cast, who))['access']}"}
            )
        content = json.dumps(body) if body is not None else ""
        return clients[who].generic(method, f"/api/v1/{path}", content, "application/json", headers=headers)

    return send


def test_a_webhook_is_made_shown_changed_and_deleted(call):
    answer = call("POST", "webhooks", NEW)
    made = answer.json()
    assert (answer.status_code, made["secret"][:6], made["states"]) == (
        *(201, "whsec_"),
        ["completed", "failed", "cancelled", "waiting"],
    )
    path = f"webhooks/{made['uuid']}"
    assert answer.headers["Location"] == f"/api/v1/{path}"
    assert "secret" not in call("GET", path).json()

    changed = call("PATCH", path, {"states": ["failed"], "is_enabled": False}).json()
    assert (changed["states"], changed["is_enabled"], changed["name"]) == (["failed"], False, "Tickets")
    assert [one["uuid"] for one in call("GET", "webhooks").json()["results"]] == [made["uuid"]]
    assert call("DELETE", path).status_code == 204
    assert call("GET", path).status_code == 404


def test_a_repeated_request_gets_the_webhook_without_its_secret(call):
    first = call("POST", "webhooks", NEW, **{"Idempotency-Key": "once"}).json()
    again = call("POST", "webhooks", NEW, **{"Idempotency-Key": "once"})
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.json() == first | {"secret": None}
    with wall.system("tests: look behind the scenes"):
        assert first["secret"] not in str(list(RememberedAnswer.objects.values()))


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"url": "http://127.0.0.1/"}, "url"),
        ({"url": "nonsense"}, "url"),
        ({"url": "https://example.org/" + "x" * 5_000}, "url"),
        ({"url": "https://example.org/\x00"}, "url"),
        ({"name": "a\x00"}, "name"),
        ({"states": ["running"]}, "states"),
        ({"states": []}, "states"),
        ({"states": "failed"}, "states"),
        ({"target": "x"}, "target"),
        ({"secret": "whsec_mine"}, "secret"),
    ],
)
def test_wrong_input_is_named(call, change, field):
    answer = call("POST", "webhooks", NEW | change)
    assert answer.status_code == 400
    assert [name.partition(".")[0] for name in answer.json()["fields"]] == [field]


def test_a_manager_sends_a_test_and_a_message_again(call, desk):
    path = f"webhooks/{desk.webhook.uuid}"
    test = call("POST", f"{path}/test").json()
    assert (test["state"], test["message"]["type"], test["response_status"]) == ("delivered", "webhook.test", 204)

    desk.receiver.answers = [500]
    desk.run()
    desk.send()
    (newest, _) = call("GET", f"{path}/deliveries").json()["results"]
    again = call("POST", f"{path}/deliveries/{newest['uuid']}/redeliver").json()
    assert (again["id"], again["state"], again["attempts"]) == (newest["id"], "delivered", 2)
    assert [one["response_status"] for one in again["attempt_log"]] == [204, 500]
    assert json.loads(desk.receiver.received[-1].body) == again["message"]


def test_a_new_secret_replaces_the_old_one(call, desk):
    answer = call("POST", f"webhooks/{desk.webhook.uuid}/rotate").json()
    assert answer["secret"] != desk.secret
    assert answer["former_until"]


def test_what_is_switched_off_takes_nothing(call, desk):
    desk.run()
    call("PATCH", f"webhooks/{desk.webhook.uuid}", {"is_enabled": False})
    answer = call("POST", f"webhooks/{desk.webhook.uuid}/deliveries/{desk.one().uuid}/redeliver")
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")


def test_a_delivery_of_another_webhook_is_not_found_there(call, desk):
    desk.run()
    other = call("POST", "webhooks", NEW).json()["uuid"]
    assert call("GET", f"webhooks/{other}/deliveries/{desk.one().uuid}").status_code == 404


def test_departments_see_only_their_own(call, desk):
    desk.run()
    path = f"webhooks/{desk.webhook.uuid}"
    assert call("GET", "webhooks", who="mallory").json()["results"] == []
    assert call("GET", path, who="mallory").status_code == 404
    assert call("GET", f"{path}/deliveries/{desk.one().uuid}", who="mallory").status_code == 404
    assert call("GET", path, who="bob").status_code == 403
    answer = call("POST", "webhooks", NEW | {"department": str(desk.cast.marketing.uuid)}, who="mallory")
    assert answer.json()["fields"] == {"department": ["Choose one of your departments."]}

"""The list, the bell, what one is told, and the API's doors to the same."""

from __future__ import annotations

import json

import pytest

from accounts.models import Membership
from accounts.services import issue_tokens
from mindloom import wall
from notifications.models import Notification, Preference
from runs.models import Run, State
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def bob(client, cast):
    client.force_login(cast.bob)
    return client


@pytest.fixture
def api(client, cast):
    """Bob's requests to the API."""
    token = issue_tokens(actor=cast.bob)["access"]

    def ask(method, path, data=None):
        headers = {"Authorization": f"Bearer {token}"}
        body = "" if data is None else json.dumps(data)
        return client.generic(method, f"/api/v1/{path}", body, content_type="application/json", headers=headers)

    return ask


def test_the_bell_counts_and_a_notification_leads_to_what_it_is_about(bob, run):
    assert "unread" not in bob.get("/").text
    made = run(State.RUNNING, State.FAILED)
    run(State.RUNNING, State.WAITING)

    assert "Notifications: 2 unread" in bob.get("/notifications/bell").text
    assert "Scout failed" in bob.get("/notifications/").text
    with wall.system("tests: look"):
        one = Notification.objects.get(kind="run_failed")
    answer = bob.get(f"/notifications/{one.uuid}/")
    assert answer.headers["Location"] == f"/runs/{made.uuid}/"
    assert "Notifications: 1 unread" in bob.get("/").text
    assert "Scout failed" not in bob.get("/notifications/?show=unread").text
    assert "Scout waits" not in bob.get("/notifications/?kind=run_failed").text


def test_one_is_put_back_and_all_are_marked(bob, run):
    run(State.RUNNING, State.FAILED)
    with wall.system("tests: look"):
        one = Notification.objects.get()
    bob.post(f"/notifications/{one.uuid}/read/")
    assert "unread" not in bob.get("/notifications/bell").text
    bob.post(f"/notifications/{one.uuid}/read/", {"unread": "1"})
    assert "1 unread" in bob.get("/notifications/bell").text
    bob.post("/notifications/read/")
    assert "unread" not in bob.get("/notifications/bell").text


def test_nobody_sees_or_marks_those_of_others_nor_of_departments_they_left(client, cast, run):
    run(State.RUNNING, State.FAILED)
    with wall.system("tests: look"):
        one = Notification.objects.get()
    for other in (cast.alice, cast.mallory, cast.ada):
        client.force_login(other)
        assert client.get(f"/notifications/{one.uuid}/").status_code == 404
        assert client.post(f"/notifications/{one.uuid}/read/").status_code == 404
        assert "Scout" not in client.get("/notifications/").text.partition('id="notifications"')[2]
        client.post("/notifications/read/")
    with wall.system("tests: look"):
        assert Notification.objects.get().read_at is None
        Membership.objects.filter(user=cast.bob).delete()
    client.force_login(cast.bob)
    assert "Scout" not in client.get("/notifications/").text
    assert client.get(f"/notifications/{one.uuid}/").status_code == 404


def test_who_belongs_to_two_departments_sees_both_and_is_led_into_the_right_one(bob, cast, run):
    run(State.RUNNING, State.FAILED)
    with wall.tenant([cast.finance.pk]):
        Membership.objects.create(user=cast.bob, department=cast.finance, role="member", status="active")
        other = factories.run(factories.agent(cast.mallory, cast.finance, name="Teller"), cast.bob)
        Run.objects.filter(pk=other.pk).update(state=State.WAITING)
        one = Notification.objects.get(kind="run_waits")

    for chosen in ("finance", "marketing"):
        bob.post("/switch-department/", {"department": chosen})
        assert "Notifications: 2 unread" in bob.get("/").text
        page = bob.get("/notifications/").text
        assert "Teller waits for you" in page
        assert "Scout failed" in page
        assert "· Finance" in page
    assert bob.get(f"/notifications/{one.uuid}/", follow=True).status_code == 200
    assert bob.session["department"] == cast.finance.pk
    bob.post("/notifications/read/")
    assert "unread" not in bob.get("/notifications/bell").text


def test_what_is_told_is_chosen_on_a_page(bob, cast):
    page = bob.get("/notifications/settings/").text
    assert page.count("<select") == 7
    kinds = ("run_waits", "run_failed", "run_finished", "schedule", "membership", "limit")
    choice = {f"mail_{kind}": "never" for kind in kinds} | {"shown_run_waits": "on", "daily_hour": "9"}

    assert bob.post("/notifications/settings/", choice).status_code == 302
    kept = Preference.objects.get(person=cast.bob)
    assert (kept.daily_hour, "run_waits" in kept.hidden, len(kept.hidden)) == (9, False, 5)
    wrong = bob.post("/notifications/settings/", choice | {"mail_limit": "sometimes", "daily_hour": "25"})
    assert wrong.status_code == 422
    assert wrong.text.count("field-error") == 2


def test_the_api_lists_marks_and_chooses(api, run, cast):
    for _ in range(3):
        run(State.RUNNING, State.FAILED)
    found = api("GET", "notifications?unread=true&limit=2").json()
    assert [one["title"] for one in found["results"]] == ["Scout failed"] * 2
    assert found["next"]
    assert api("GET", "notifications?kind=limit").json()["results"] == []
    assert api("GET", "notifications?kind=x").status_code == 400

    assert api("POST", "notifications/read", {"uuids": [found["results"][0]["uuid"]]}).json() == {"read": 1}
    assert api("POST", "notifications/read", {}).json() == {"read": 2}
    assert api("POST", "notifications/read", {"uuids": ["x"]}).status_code == 400

    kept = api("PATCH", "notifications/settings", {"mail": {"limit": "daily"}, "daily_hour": 8}).json()
    assert (kept["mail"]["limit"], kept["mail"]["run_waits"], kept["daily_hour"]) == ("daily", "now", 8)
    assert api("GET", "notifications/settings").json() == kept
    for wrong in (
        {"mail": {"x": "now"}},
        {"mail": {"limit": "x"}},
        {"hidden": ["x"]},
        {"daily_hour": 24},
        {"person": 1},
    ):
        assert api("PATCH", "notifications/settings", wrong).status_code == 400
    assert api("GET", "notifications/settings").json() == kept

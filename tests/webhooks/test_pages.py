"""The pages of webhooks, as a manager walks through them."""

from __future__ import annotations

import re

import pytest

from mindloom import wall
from tests import factories
from webhooks.models import Webhook

pytestmark = pytest.mark.django_db
NEW = {"name": "Tickets", "url": "https://tickets.example.org/hook", "states": ["failed", "waiting"]}


@pytest.fixture
def alice(client_as, cast):
    return client_as(cast.alice)


def page_of(webhook):
    return f"/webhooks/{webhook.uuid}/"


def made():
    with wall.system("tests: look behind the scenes"):
        return Webhook.objects.get(name="Tickets")


def test_there_is_nothing_at_first(alice):
    assert b"No webhooks yet" in alice.get("/webhooks/").content


def test_the_secret_is_shown_once(alice):
    answer = alice.post("/webhooks/new/", NEW)
    (secret,) = re.findall(r"whsec_[A-Za-z0-9+/]+=*", answer.content.decode())
    assert answer.headers["Cache-Control"] == "no-store"

    page = alice.get(page_of(made())).content.decode()
    assert "whsec_" not in page
    assert f"secret ends in {secret[-4:]}" in page
    assert "failed, waiting" in alice.get("/webhooks/").content.decode()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"name": ""}, "This field is required."),
        ({"name": "x\x00"}, "Null characters are not allowed."),
        ({"url": "http://10.0.0.1/"}, "10.0.0.1 is a private or reserved address"),
        ({"url": "nonsense"}, "“nonsense” is not a web address."),
        ({"url": "https://example.org/" + "x" * 3_000}, "at most 2000 characters"),
        ({"states": []}, "This field is required."),
        ({"states": ["queued"]}, "queued is not one of the available choices."),
        ({"target": "nobody"}, "nobody is not one of the available choices."),
    ],
)
def test_wrong_input_comes_back_with_what_was_typed(alice, change, sentence):
    answer = alice.post("/webhooks/new/", NEW | change)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert sentence in page
    assert 'value="Tickets"' in page or "name" in change


def test_a_webhook_is_changed_kept_to_an_agent_and_deleted(alice, desk):
    with wall.tenant([desk.cast.marketing.pk]):
        agent = factories.agent(desk.cast.alice, desk.cast.marketing)
    desk.run(agent=agent)
    values = NEW | {"url": desk.receiver.url, "target": str(agent.uuid)}
    answer = alice.post(page_of(desk.webhook), values, follow=True)
    assert "“Tickets” is saved." in answer.content.decode()
    assert (made().target_kind, made().target_name) == ("agent", "Scout")

    answer = alice.post(f"{page_of(desk.webhook)}delete/", follow=True)
    assert "“Tickets” is deleted." in answer.content.decode()
    assert desk.deliveries() == []


def test_a_wrong_change_shows_the_old_name_on_top(alice, desk):
    answer = alice.post(page_of(desk.webhook), NEW | {"url": "x"})
    assert answer.status_code == 422
    assert re.search(r"<h1[^>]*>\s*Chat", answer.content.decode())


def test_a_delivery_shows_the_message_and_every_try(alice, desk):
    desk.receiver.answers = [(500, {}, b"<script>alert(1)</script>")]
    run = desk.run()
    desk.send()
    page = alice.get(f"{page_of(desk.webhook)}deliveries/{desk.one().uuid}/").content.decode()
    assert "HTTP 500" in page
    assert "&lt;script&gt;alert(1)" in page
    assert f"/runs/{run.uuid}/" in page
    assert "trying again" in alice.get(page_of(desk.webhook)).content.decode()
    assert "has accepted nothing since" in alice.get(page_of(desk.webhook)).content.decode()


def test_a_test_and_sending_again_lead_to_how_it_went(alice, desk):
    answer = alice.post(f"{page_of(desk.webhook)}test/", follow=True)
    assert "The receiver accepted the message (HTTP 204)." in answer.content.decode()
    desk.receiver.answers = [503]
    answer = alice.post(f"{page_of(desk.webhook)}deliveries/{desk.one().uuid}/redeliver/", follow=True)
    assert "did not accept the message (HTTP 503)" in answer.content.decode()


def test_a_webhook_that_mindloom_switched_off_says_why(alice, desk):
    desk.receiver.answers = [410]
    desk.run()
    desk.send()
    page = alice.get(page_of(desk.webhook)).content.decode()
    assert "Mindloom switched this webhook off" in page
    assert "it wants no more messages (HTTP 410)" in page

    alice.post(f"{page_of(desk.webhook)}enable/", {"enabled": "1"})
    assert (desk.fresh().is_enabled, desk.fresh().disabled_reason) == (True, "")
    answer = alice.post(f"{page_of(desk.webhook)}enable/", {"enabled": "0"}, follow=True)
    assert "is switched off" in answer.content.decode()


def test_a_new_secret_is_shown_with_the_time_of_the_former(alice, desk):
    page = alice.post(f"{page_of(desk.webhook)}rotate/").content.decode()
    assert "has a new secret" in page
    assert "signed with the former secret, too" in page
    assert desk.secret not in page

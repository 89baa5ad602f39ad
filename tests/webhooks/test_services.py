"""Making, changing and removing webhooks, and what is refused."""

from __future__ import annotations

import io
from uuid import uuid4

import pytest
from django.core.management import call_command

from agents.models import Agent
from audit.models import Entry
from mindloom import keyring, wall
from mindloom.web.errors import Conflict, Invalid, NotAllowed, NotFound
from tests import factories
from webhooks import services
from webhooks.models import Webhook
from webhooks.queries import secret_place, secrets_of

pytestmark = pytest.mark.django_db
URL = "https://hooks.example.org/mindloom?token=abc"


def make(cast, actor=None, **values):
    given = {"name": "Chat", "url": URL} | values
    return services.create_webhook(actor=actor or cast.alice, department_id=cast.marketing.pk, **given)


def test_a_secret_is_kept_sealed(cast, in_marketing):
    webhook, secret = make(cast)
    assert secret.startswith("whsec_")
    assert secret not in str(Webhook.objects.values().get())
    assert secrets_of(webhook, webhook.created_at) == [secret]


@pytest.mark.parametrize("person", ["bob", "carol", "mallory", "nora"])
def test_only_managers_make_webhooks(cast, in_marketing, person):
    with pytest.raises(NotAllowed):
        make(cast, actor=getattr(cast, person))


def test_members_change_nothing_and_others_find_nothing(cast, in_marketing):
    webhook, _ = make(cast)
    with pytest.raises(NotAllowed):
        services.rotate_secret(actor=cast.bob, webhook=webhook)
    with pytest.raises(NotFound):
        services.delete_webhook(actor=cast.mallory, webhook=webhook)


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("", "Enter the address"),
        ("nonsense", "is not a web address"),
        ("ftp://example.org/", "is not a web address"),
        ("https://example.org/a b", "is not a web address"),
        ("https://anna:word@example.org/", "user name or password"),
        ("https://example.org/\x00", "plain letters"),
        ("https://exämple.org/", "plain letters"),
        ("https://example.org/" + "x" * 2_000, "is not a web address"),
        ("http://127.0.0.1:8000/", "private or reserved"),
        ("http://localhost/", "private or reserved"),
        ("http://[::1]/", "private or reserved"),
        ("http://192.168.1.1/", "private or reserved"),
        ("http://169.254.169.254/", "private or reserved"),
    ],
)
def test_an_address_that_is_none_is_refused(cast, in_marketing, url, sentence):
    with pytest.raises(Invalid) as refused:
        make(cast, url=url)
    assert sentence in refused.value.fields["url"][0]


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 81}, "name"),
        ({"name": "a\x00b"}, "name"),
        ({"states": []}, "states"),
        ({"states": ["queued"]}, "states"),
        ({"target": "9b2d1f0e-6a5c-4d3b-8e7f-000000000000"}, "target"),
    ],
)
def test_other_wrong_values_are_refused_beside_their_field(cast, in_marketing, values, field):
    with pytest.raises(Invalid) as refused:
        make(cast, **values)
    assert list(refused.value.fields) == [field]


def test_a_webhook_whose_agent_is_gone_can_still_be_changed(cast, in_marketing):
    agent = factories.agent(cast.alice, cast.marketing)
    webhook, _ = make(cast, target=str(agent.uuid))
    Agent.objects.filter(pk=agent.pk).update(uuid=uuid4())  # what the webhook names is no more
    values = {"name": "Chat of old", "target": str(webhook.target_uuid)}
    changed = services.update_webhook(actor=cast.alice, webhook=webhook, values=values)

    assert (changed.name, changed.target_uuid, changed.target_name) == ("Chat of old", agent.uuid, agent.name)
    with pytest.raises(Invalid):
        services.update_webhook(actor=cast.alice, webhook=webhook, values={"target": str(uuid4())})


def test_a_name_is_taken_once_in_a_department(cast, in_marketing):
    make(cast)
    with pytest.raises(Invalid) as refused:
        make(cast, name="CHAT")
    assert "already a webhook of this name" in refused.value.fields["name"][0]


def test_a_department_has_a_bounded_number_of_webhooks(cast, in_marketing, monkeypatch):
    monkeypatch.setattr(services, "MOST_WEBHOOKS", 1)
    make(cast)
    with pytest.raises(Invalid, match="Delete one first"):
        make(cast, name="Second")


def test_everything_done_is_in_the_audit_trail_without_secrets(desk, in_marketing):
    actor = desk.cast.alice
    services.update_webhook(actor=actor, webhook=desk.webhook, values={"name": "Tickets"})
    services.rotate_secret(actor=actor, webhook=desk.webhook)
    services.enable_webhook(actor=actor, webhook=desk.webhook, enabled=False)
    services.enable_webhook(actor=actor, webhook=desk.webhook, enabled=True)
    sent = services.test_webhook(actor=actor, webhook=desk.webhook)
    services.redeliver(actor=actor, delivery=sent)
    services.delete_webhook(actor=actor, webhook=desk.webhook)

    entries = Entry.objects.filter(action__startswith="webhook.").order_by("id")
    assert [one.action.partition(".")[2] for one in entries] == [
        *("created", "changed", "secret_rotated", "disabled", "enabled", "tested", "redelivered", "deleted")
    ]
    assert "whsec_" not in str(list(entries.values()))


def test_a_test_is_sent_at_once_also_when_the_webhook_is_off(desk, in_marketing):
    services.enable_webhook(actor=desk.cast.alice, webhook=desk.webhook, enabled=False)
    sent = services.test_webhook(actor=desk.cast.alice, webhook=desk.webhook)
    assert (sent.state, sent.response_status) == ("delivered", 204)
    assert desk.receiver.received[0].verified(desk.secret)["type"] == "webhook.test"


def test_a_test_that_fails_is_not_tried_again_and_no_sign_of_failing(desk, in_marketing):
    desk.receiver.answers = [500]
    sent = services.test_webhook(actor=desk.cast.alice, webhook=desk.webhook)
    assert (sent.state, desk.fresh().failing_since) == ("failed", None)


def test_a_message_that_was_given_up_is_sent_again_with_its_id(desk, in_marketing):
    desk.receiver.answers = [410, 500]
    desk.run()
    desk.send()
    with pytest.raises(Conflict, match="is switched off"):
        services.redeliver(actor=desk.cast.alice, delivery=desk.one())

    services.enable_webhook(actor=desk.cast.alice, webhook=desk.webhook, enabled=True)
    again = services.redeliver(actor=desk.cast.alice, delivery=desk.one())
    assert (again.state, again.attempt_count, again.tries) == ("pending", 2, 1)
    desk.due(again)
    desk.send()
    assert [one.id for one in desk.receiver.received] == [again.message_id] * 3
    assert desk.one().state == "delivered"


def test_what_is_on_its_way_is_given_up_when_the_webhook_is_switched_off(desk, in_marketing):
    desk.run()
    services.enable_webhook(actor=desk.cast.alice, webhook=desk.webhook, enabled=False)
    assert (desk.one().state, "switched off" in desk.one().error) == ("failed", True)
    assert desk.send() == 0


def test_rotating_keys_seals_the_secrets_of_webhooks_anew(desk, settings):
    with wall.tenant([desk.cast.marketing.pk]):
        new = services.rotate_secret(actor=desk.cast.alice, webhook=desk.webhook)
    settings.KEY_RING = {"new": b"n" * 32, **settings.KEY_RING}
    call_command("rotate_keys", stdout=io.StringIO())

    row = desk.fresh()
    assert all(keyring.is_newest(getattr(row, field)) for field in ("secret_sealed", "former_secret_sealed"))
    assert secrets_of(row, row.created_at) == [new, desk.secret]


def test_a_secret_whose_key_is_gone_is_told_and_a_new_one_helps(desk, settings, in_marketing):
    settings.KEY_RING = {"new": b"n" * 32}
    desk.run()
    desk.send()
    assert "secret cannot be opened" in desk.one().error

    secret = services.rotate_secret(actor=desk.cast.alice, webhook=desk.webhook)
    desk.due(desk.one())
    desk.send()
    assert desk.receiver.received[0].verified(secret)


def test_a_sealed_secret_opens_only_in_its_own_place(desk):
    row = desk.fresh()
    with pytest.raises(keyring.KeyringError):
        keyring.open_(row.secret_sealed, secret_place(row, "former_secret"))

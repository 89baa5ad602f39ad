"""A run's end reaches a real receiver, signed, at last and once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from django.db import transaction
from standardwebhooks import WebhookVerificationError

from audit.models import Entry
from mindloom import wall
from runs.models import State
from tests import factories
from tests.webhooks.conftest import ended
from webhooks import services
from webhooks.models import Delivery
from webhooks.worker import DELAYS, LONGEST_DELAY

pytestmark = pytest.mark.django_db


def test_a_receiver_that_fails_three_times_gets_the_message_at_last(desk):
    desk.receiver.answers = [500, (503, {}, b"Come back later"), 404]
    run = desk.run()
    for _ in range(4):
        desk.due(desk.one())
        assert desk.send() == 1

    transcript = [(one.number, one.response_status, one.response_excerpt, one.error) for one in desk.attempts()]
    assert transcript == [
        (1, 500, "", "The receiver did not accept the message (HTTP 500)."),
        (2, 503, "Come back later", "The receiver did not accept the message (HTTP 503)."),
        (3, 404, "", "The receiver did not accept the message (HTTP 404)."),
        (4, 204, "", ""),
    ]
    assert {one.id for one in desk.receiver.received} == {desk.one().message_id}
    assert {one.verified(desk.secret)["data"]["run"] for one in desk.receiver.received} == {str(run.uuid)}
    assert (desk.one().state, desk.one().error, desk.fresh().failing_since) == ("delivered", "", None)


def test_a_message_says_what_happened_and_nothing_of_what_was_said(desk):
    run = desk.run(State.FAILED, input="The secret plan")
    desk.send()

    (message,) = desk.receiver.messages
    data = message["data"]
    assert (message["type"], message["version"]) == ("run.finished", 1)
    assert (data["state"], data["number"], data["trigger"]) == ("failed", run.pk, "person")
    assert data["department"] == {"uuid": str(desk.cast.marketing.uuid), "name": "Marketing"}
    assert data["target"] == {"kind": "agent", "uuid": "u", "name": "Scout", "version": 1}
    assert data["links"]["page"].endswith(f"/runs/{run.uuid}/")
    assert datetime.fromisoformat(data["finished_at"]) == run.finished_at
    assert b"secret plan" not in desk.receiver.received[0].body


def test_a_run_that_waits_is_told_each_time(desk):
    desk.run(State.WAITING)
    desk.send()
    assert [(one["type"], one["data"]["state"]) for one in desk.receiver.messages] == [("run.waiting", "waiting")]


def test_only_the_states_and_the_agent_that_were_chosen_are_told(desk, in_marketing):
    scout = factories.agent(desk.cast.alice, in_marketing, name="Other")
    services.update_webhook(
        actor=desk.cast.alice, webhook=desk.webhook, values={"states": ["failed"], "target": str(scout.uuid)}
    )
    spec = factories.spec(uuid=str(scout.uuid)).to_json()
    desk.run(State.FAILED)
    desk.run(State.COMPLETED, agent=scout, spec=spec)
    wanted = desk.run(State.FAILED, agent=scout, spec=spec)

    assert [one.run_uuid for one in desk.deliveries()] == [wanted.uuid]


def test_tests_of_drafts_and_other_departments_runs_are_not_told(desk):
    desk.run(trigger="test")
    with wall.tenant([desk.cast.finance.pk]):
        ended(factories.run(factories.agent(desk.cast.mallory, desk.cast.finance), desk.cast.mallory), State.COMPLETED)
    assert desk.deliveries() == []


def test_a_change_that_is_taken_back_tells_nothing(desk):
    with transaction.atomic():
        desk.run()
        transaction.set_rollback(True)
    assert desk.deliveries() == []


def test_the_next_try_is_further_away_each_time_and_at_last_there_is_none(desk):
    desk.receiver.answers = [500] * 20
    desk.run()
    waits = []
    for _ in DELAYS:
        desk.due(desk.one())
        before = datetime.now(UTC)
        desk.send()
        waits.append((desk.one().next_attempt_at - before).total_seconds())
    assert all(delay <= wait <= delay * 1.2 + 5 for delay, wait in zip(DELAYS, waits, strict=True))

    desk.due(desk.one())
    desk.send()
    assert (desk.one().state, desk.one().next_attempt_at, len(desk.receiver.received)) == (
        "failed",
        None,
        len(DELAYS) + 1,
    )


@pytest.mark.parametrize(
    ("asked", "seconds"),
    [
        ("120", 120),
        (lambda: format_datetime(datetime.now(UTC) + timedelta(seconds=600)), 600),
        ("99999999999", LONGEST_DELAY),
        ("soon", DELAYS[0]),
        ("1", DELAYS[0]),
    ],
)
def test_retry_after_is_honoured_within_a_day(desk, asked, seconds):
    desk.receiver.answers = [(429, {"retry-after": asked if isinstance(asked, str) else asked()}, b"")]
    desk.run()
    before = datetime.now(UTC)
    desk.send()
    assert seconds - 3 <= (desk.one().next_attempt_at - before).total_seconds() <= seconds * 1.2 + 5


def test_a_receiver_that_is_gone_switches_the_webhook_off(desk):
    desk.receiver.answers = [410]
    first, second = desk.run(), desk.run(State.FAILED)
    desk.send()

    webhook = desk.fresh()
    assert (webhook.is_enabled, "HTTP 410" in webhook.disabled_reason) == (False, True)
    assert [(one.run_uuid, one.state) for one in desk.deliveries()] == [(first.uuid, "failed"), (second.uuid, "failed")]
    desk.run()
    assert len(desk.deliveries()) == 2
    with wall.system("tests: look behind the scenes"):
        entry = Entry.objects.get(action="webhook.disabled")
    assert (entry.actor_label, entry.data["reason"]) == ("Mindloom", webhook.disabled_reason)


def test_a_receiver_that_failed_for_days_switches_the_webhook_off(desk):
    desk.change(failing_since=datetime.now(UTC) - timedelta(days=4, hours=23))
    desk.receiver.answers = [500, 500]
    desk.run()
    desk.send()
    assert desk.fresh().is_enabled

    desk.change(failing_since=datetime.now(UTC) - timedelta(days=5, hours=1))
    desk.due(desk.one())
    desk.send()
    assert not desk.fresh().is_enabled
    assert "has accepted nothing since" in desk.fresh().disabled_reason


def test_the_secret_before_is_good_for_a_day(desk, in_marketing):
    secret = services.rotate_secret(actor=desk.cast.alice, webhook=desk.webhook)
    desk.run()
    desk.send()
    assert [bool(desk.receiver.received[0].verified(one)) for one in (secret, desk.secret)] == [True, True]

    desk.change(former_until=datetime.now(UTC) - timedelta(seconds=1))
    desk.run()
    desk.send()
    assert desk.receiver.received[1].verified(secret)
    with pytest.raises(WebhookVerificationError):
        desk.receiver.received[1].verified(desk.secret)


def test_a_process_that_dies_while_it_sends_leaves_the_message_to_the_next(desk):
    from webhooks import worker

    desk.run()
    assert worker.claim() is not None
    assert worker.claim() is None
    desk.due(desk.one())
    desk.send()
    assert [(one.number, one.duration_ms is None) for one in desk.attempts()] == [(1, True), (2, False)]
    assert desk.one().state == "delivered"


def test_a_redirect_is_not_followed(desk):
    desk.receiver.answers = [(307, {"location": desk.receiver.url}, b"")]
    desk.run()
    desk.send()
    assert (len(desk.receiver.received), desk.one().response_status) == (1, 307)
    assert "which is not followed" in desk.one().error


def test_a_huge_answer_is_cut_and_counts(desk):
    desk.receiver.answers = [(200, {"content-encoding": "identity"}, b"x\x00" * 500_000)]
    desk.run()
    desk.send()
    (attempt,) = desk.attempts()
    assert (desk.one().state, len(attempt.response_excerpt)) == ("delivered", 500)


@pytest.mark.parametrize(
    "url",
    [
        "http://10.0.0.1/hook",
        "http://169.254.169.254/latest/meta-data",
        "http://[::ffff:169.254.169.254]/",
        "http://0.0.0.0/",
        "http://[fe80::1]/",
    ],
)
def test_private_addresses_are_not_called_however_they_got_there(desk, url):
    desk.change(url=url)
    desk.run()
    desk.send()
    assert "private or reserved address" in desk.one().error


def test_a_name_that_leads_inside_is_not_called(desk, settings):
    settings.WEBHOOK_ALLOWED_NETWORKS = []
    desk.change(url=desk.receiver.url.replace("127.0.0.1", "localhost"))
    desk.run()
    desk.send()
    assert "private or reserved address" in desk.one().error
    assert desk.receiver.received == []


def test_old_deliveries_are_forgotten_and_new_ones_kept(desk):
    desk.run()
    desk.send()
    desk.run()
    old = desk.deliveries()[0]
    with wall.system("tests: time passes"):
        Delivery.objects.filter(pk=old.pk).update(finished_at=datetime.now(UTC) - timedelta(days=31))
    assert services.forget_old_deliveries() == 1
    assert [one.state for one in desk.deliveries()] == ["pending"]

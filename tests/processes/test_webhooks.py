"""A webhook through real processes: the worker ends the run, the scheduler tells of it, also when it is killed in the middle."""

from __future__ import annotations

import ipaddress
import signal

import pytest
from django.db import connection

from runs.models import State
from tests.fakes.webhook_receiver import Receiver
from tests.processes.harness import HELLO, ended, until
from webhooks import services
from webhooks.models import Attempt, Delivery

pytestmark = pytest.mark.processes
LOOPBACK = {"WEBHOOK_ALLOWED_NETWORKS": "127.0.0.0/8"}


def test_a_scheduler_that_is_killed_while_it_sends_leaves_the_message_to_the_next(house, stage, settings):
    settings.WEBHOOK_ALLOWED_NETWORKS = [ipaddress.ip_network("127.0.0.0/8")]
    with Receiver() as receiver:
        receiver.answers = [0]
        made = {"name": "Chat", "url": receiver.url, "states": ["completed"]}
        _, secret = services.create_webhook(actor=stage.cast.alice, department_id=stage.cast.marketing.pk, **made)
        house.worker()
        first = house.scheduler(**LOOPBACK)
        run = ended(stage.start(HELLO))
        assert run.state == State.COMPLETED
        until(lambda: receiver.received, "the message is being sent")
        first.signal(signal.SIGKILL)
        # Its time to be tried has passed.
        with connection.cursor() as cursor:
            cursor.execute("UPDATE webhooks_delivery SET next_attempt_at = now()")
        house.scheduler(**LOOPBACK)
        until(lambda: Delivery.objects.get().state == Delivery.State.DELIVERED, "the message is delivered")

    assert [one.verified(secret)["data"]["number"] for one in receiver.received] == [run.pk, run.pk]
    assert {one.id for one in receiver.received} == {Delivery.objects.get().message_id}
    assert list(Attempt.objects.order_by("number").values_list("response_status", flat=True)) == [None, 204]

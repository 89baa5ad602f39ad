"""Several processes at once, and things that happen in the same moment."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection, transaction

from mindloom import wall
from runs.models import State
from tests import factories
from tests.processes.harness import until
from tests.webhooks.conftest import ended
from webhooks import services, worker
from webhooks.models import Delivery, Webhook

pytestmark = pytest.mark.django_db(transaction=True)


def in_threads(count, work):
    """Do `work` in so many threads that begin together; what each returned."""
    gate = Barrier(count)

    def begin(number):
        gate.wait()
        try:
            return work(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as pool:
        return [one.result() for one in [pool.submit(begin, number) for number in range(count)]]


def test_four_senders_send_each_message_once(desk):
    for _ in range(20):
        desk.run()
    tries = in_threads(4, lambda _: worker.send_due())

    assert sum(tries) == 20
    assert set(Counter(one.id for one in desk.receiver.received).values()) == {1}
    assert {(one.state, one.attempt_count) for one in desk.deliveries()} == {("delivered", 1)}


def test_the_postman_sends_a_few_at_once_and_all_of_them(desk):
    for _ in range(20):
        desk.run()
    postman = worker.Postman()

    def all_there():
        postman.round()
        return len(desk.receiver.received) == 20

    until(all_there, "all messages are there")
    postman.close()
    assert {one.state for one in desk.deliveries()} == {"delivered"}


def test_two_people_who_send_again_at_once_send_at_most_twice_with_one_id(desk):
    desk.run()
    desk.send()

    def again(_):
        with wall.tenant([desk.cast.marketing.pk]):
            return services.redeliver(actor=desk.cast.alice, delivery=desk.one()).state

    in_threads(2, again)
    assert {one.id for one in desk.receiver.received} == {desk.one().message_id}
    assert desk.one().state == "delivered"


def test_a_run_ends_well_while_its_webhook_is_deleted(desk):
    with wall.tenant([desk.cast.marketing.pk]):
        agent = factories.agent(desk.cast.alice, desk.cast.marketing)
        runs = [factories.run(agent, desk.cast.bob) for _ in range(6)]

    def work(number):
        with wall.tenant([desk.cast.marketing.pk]):
            if number == 3:
                return services.delete_webhook(actor=desk.cast.alice, webhook=desk.webhook)
            return ended(runs[number], State.COMPLETED).state

    assert [one for one in in_threads(6, work) if one is not None] == [State.COMPLETED] * 5
    with wall.system("tests: look behind the scenes"):
        assert not Webhook.objects.exists()
        assert not Delivery.objects.exists()


def test_a_webhook_that_is_being_deleted_waits_for_the_run_that_tells_it(desk):
    """The deletion sees the delivery that was added by a transaction it had to wait for."""

    def delete(_):
        with wall.tenant([desk.cast.marketing.pk]):
            services.delete_webhook(actor=desk.cast.alice, webhook=desk.webhook)

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            desk.run()
            deleting = pool.submit(in_threads, 1, delete)
            with wall.system("tests: look behind the scenes"):
                until(_waiting_for_a_lock, "the deletion waits")
        deleting.result()
    assert desk.deliveries() == []


def _waiting_for_a_lock():
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return cursor.fetchone()[0]

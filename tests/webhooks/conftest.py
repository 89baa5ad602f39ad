"""Marketing has a webhook whose receiver is a real server."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection

from mindloom import wall
from mindloom.engine.events import RunCompleted, RunFailed, RunQueued, RunStarted, RunWaiting
from runs.models import Guard, Run, State, append
from tests import factories
from tests.conftest import Cast
from tests.fakes.webhook_receiver import Receiver
from webhooks import services, worker
from webhooks.models import Attempt, Delivery, Webhook


@pytest.fixture
def receiver(settings):
    settings.WEBHOOK_ALLOWED_NETWORKS = [ipaddress.ip_network("127.0.0.0/8")]
    with Receiver() as running:
        yield running


@dataclass
class Desk:
    """What the tests do with Marketing's webhook."""

    cast: Cast
    receiver: Receiver
    webhook: Webhook
    secret: str

    def run(self, state: str = State.COMPLETED, **fields: Any) -> Run:
        """A run of Marketing that comes into the state."""
        with wall.tenant([self.cast.marketing.pk]):
            known = Run.objects.first()
            agent = fields.pop("agent", None) or (
                known.agent if known else factories.agent(self.cast.alice, self.cast.marketing)
            )
            return ended(factories.run(agent, self.cast.bob, **fields), state)

    def due(self, delivery: Delivery) -> None:
        """Its next try is due now, instead of in hours."""
        with wall.system("tests: the time has come"), connection.cursor() as cursor:
            cursor.execute(
                "UPDATE webhooks_delivery SET next_attempt_at = now() WHERE id = %s AND state = 'pending'",
                [delivery.pk],
            )

    def deliveries(self) -> list[Delivery]:
        with wall.system("tests: look behind the scenes"):
            return list(Delivery.objects.select_related("webhook").order_by("id"))

    def one(self) -> Delivery:
        (found,) = self.deliveries()
        return found

    def attempts(self) -> list[Attempt]:
        with wall.system("tests: look behind the scenes"):
            return list(Attempt.objects.order_by("delivery", "number"))

    def send(self) -> int:
        return worker.send_due()

    def fresh(self) -> Webhook:
        with wall.system("tests: look behind the scenes"):
            return Webhook.objects.get(pk=self.webhook.pk)

    def change(self, **fields: Any) -> None:
        with wall.system("tests: look behind the scenes"):
            Webhook.objects.filter(pk=self.webhook.pk).update(**fields)


ENDS = {
    State.COMPLETED: RunCompleted(output="The secret plan"),
    State.FAILED: RunFailed(kind="timeout", message="It took too long with the secret plan."),
    State.WAITING: RunWaiting(reason="waiting_for_person", message="Scout wants to send the secret plan."),
}


def ended(run: Run, state: str) -> Run:
    """The run, brought into the state by the door through which every change goes."""
    now = datetime.now(UTC)
    append(run.pk, [RunQueued(trigger="person")], guard=Guard(states=(State.QUEUED,)))
    append(
        run.pk,
        [RunStarted(worker="w", attempt=1)],
        guard=Guard(states=(State.QUEUED,)),
        state=State.RUNNING,
        fence=1,
        started_at=now,
    )
    changes: dict[str, Any] = {"state": state} | ({} if state == State.WAITING else {"finished_at": now})
    append(run.pk, [ENDS[State(state)]], guard=Guard(states=(State.RUNNING,)), **changes)
    run.refresh_from_db()
    return run


@pytest.fixture
def desk(cast, receiver):
    with wall.tenant([cast.marketing.pk]):
        webhook, secret = services.create_webhook(
            actor=cast.alice, department_id=cast.marketing.pk, name="Chat", url=receiver.url
        )
    return Desk(cast, receiver, webhook, secret)

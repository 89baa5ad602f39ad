"""Sends what is due.

A delivery is claimed by counting its tries up and moving its next one behind the longest time a try can take. So two processes
never send the same try, and one that dies in the middle leaves the message to be sent again: at least once, with the same id.
"""

from __future__ import annotations

import logging
import random
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from threading import Lock
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import connection, transaction
from django.db.models.functions import Now
from django.utils import timezone

from audit.services import record
from features.queries import is_on
from integrations.outbound import Answer, OutboundError, fetch
from mindloom import wall
from mindloom.keyring import KeyringError
from mindloom.wall.pool import give_back
from webhooks.models import Attempt, Delivery, Webhook
from webhooks.queries import body, secrets_of, signed_headers

if TYPE_CHECKING:
    from collections.abc import Collection

logger = logging.getLogger(__name__)

DELAYS = (10, 60, 300, 1_800, 7_200, 28_800, 86_400)
"""Seconds between tries; after one more the message is given up."""
JITTER = 0.2
"""Up to so much of a delay is added, so that what failed together does not come back together."""
LONGEST_DELAY = 86_400
EXCERPT_BYTES = 1_000
SENDERS = 8
"""Messages that one process sends at once."""
SENDERS_PER_WEBHOOK = 2
"""Of these to one address, so that a slow one does not hold up the others."""
_LEASE_EXTRA_SECONDS = 45
GONE = 410

_CLAIM = """
WITH due AS (
    SELECT d.id FROM webhooks_delivery d JOIN webhooks_webhook w ON w.id = d.webhook_id
    WHERE d.state = 'pending' AND CASE WHEN %(only)s::bigint IS NULL
        THEN d.next_attempt_at <= statement_timestamp() AND w.is_enabled AND NOT d.webhook_id = ANY(%(busy)s::bigint[])
        ELSE d.id = %(only)s END
    ORDER BY d.next_attempt_at LIMIT 1 FOR UPDATE OF d SKIP LOCKED
), taken AS (
    UPDATE webhooks_delivery d SET attempt_count = attempt_count + 1, tries = tries + 1,
        next_attempt_at = statement_timestamp() + make_interval(secs => %(lease)s)
    FROM due WHERE d.id = due.id RETURNING d.*
), noted AS (
    INSERT INTO webhooks_attempt (delivery_id, department_id, number, started_at, response_excerpt, error)
    SELECT id, department_id, attempt_count, statement_timestamp(), '', '' FROM taken
)
SELECT id, webhook_id, department_id, attempt_count, tries FROM taken
"""


@dataclass(frozen=True)
class Claim:
    """One try of a delivery, which this process makes."""

    delivery: int
    webhook: int
    department: int
    number: int
    tries: int


@dataclass(frozen=True)
class Outcome:
    """What came of a try."""

    error: str = ""
    """Empty when the message was accepted."""
    status: int | None = None
    excerpt: str = ""
    duration_ms: int = 0
    retry_after: float | None = None

    @property
    def accepted(self) -> bool:
        """Whether the receiver has it."""
        return not self.error


def lease_seconds() -> int:
    """How long a claimed delivery is left alone."""
    return int(settings.WEBHOOK_TIMEOUT_SECONDS) + _LEASE_EXTRA_SECONDS


def claim(*, busy: Collection[int] = (), only: int | None = None) -> Claim | None:
    """Take a delivery that is due, of none of the `busy` webhooks; or `only` this one, due or not. None when there is none."""
    lease = lease_seconds()
    if only is None and not is_on("webhooks"):
        return None
    with wall.system("postman: messages to webhooks of all departments"), connection.cursor() as cursor:
        cursor.execute(_CLAIM, {"busy": list(busy), "only": only, "lease": lease})
        row = cursor.fetchone()
    return Claim(*row) if row else None


def carry_out(claimed: Claim) -> None:
    """Send the message once and keep what came of it."""
    with wall.tenant([claimed.department]):
        delivery = Delivery.objects.select_related("webhook").filter(pk=claimed.delivery).first()
        if delivery is not None:
            _keep(claimed, delivery, _send(delivery))


def send_due() -> int:
    """Send everything that is due, one after the other; returns how many tries that took."""
    count = 0
    while claimed := claim():
        carry_out(claimed)
        count += 1
    return count


class Postman:
    """Sends what is due in threads, a few at once, fewer to one address."""

    def __init__(self) -> None:
        # Each needs a connection to the database when it is done, beside those of the process's other threads.
        self._hands = max(1, min(SENDERS, settings.DATABASE_POOL_SIZE - 2))
        self._pool = ThreadPoolExecutor(self._hands, thread_name_prefix="postman")
        self._lock = Lock()
        self._under_way: Counter[int] = Counter()

    def round(self) -> None:
        """Begin what is due, as far as there are hands."""
        while True:
            with self._lock:
                if self._under_way.total() >= self._hands:
                    return
                busy = [webhook for webhook, count in self._under_way.items() if count >= SENDERS_PER_WEBHOOK]
            claimed = claim(busy=busy)
            if claimed is None:
                return
            with self._lock:
                self._under_way[claimed.webhook] += 1
            self._pool.submit(self._carry_out, claimed)

    def close(self) -> None:
        """Wait for what is under way."""
        self._pool.shutdown(wait=True)

    def _carry_out(self, claimed: Claim) -> None:
        try:
            carry_out(claimed)
        except Exception:
            # It is sent again when its time to be tried has passed.
            logger.exception("A try of the delivery %s was not finished", claimed.delivery)
        finally:
            connection.close()
            with self._lock:
                self._under_way[claimed.webhook] -= 1


def _send(delivery: Delivery) -> Outcome:
    now = datetime.now(UTC)
    try:
        secrets = secrets_of(delivery.webhook, now)
    except KeyringError as error:
        return Outcome(error=f"The webhook's secret cannot be opened. {error}")
    content = body(delivery)
    headers = {
        "content-type": "application/json",
        "accept-encoding": "identity",
        **signed_headers(delivery.message_id, now, content, secrets),
    }
    give_back()  # whoever is on the other side may be slow
    began = time.monotonic()
    try:
        answer = fetch(
            delivery.webhook.url,
            allowed=settings.WEBHOOK_ALLOWED_NETWORKS,
            method="POST",
            headers=headers,
            content=content,
            max_bytes=EXCERPT_BYTES,
            seconds=settings.WEBHOOK_TIMEOUT_SECONDS,
            follow=False,
            cut=True,
        )
    except OutboundError as error:
        return Outcome(error=str(error)[:600], duration_ms=_since(began))
    return _judged(answer, _since(began))


def _judged(answer: Answer, duration_ms: int) -> Outcome:
    error = ""
    if 300 <= answer.status < 400:
        error = f"The receiver sends the message elsewhere (HTTP {answer.status}), which is not followed. Enter its new address."
    elif answer.status == GONE:
        error = "The receiver wants no more messages (HTTP 410)."
    elif not 200 <= answer.status < 300:
        error = f"The receiver did not accept the message (HTTP {answer.status})."
    return Outcome(
        error=error,
        status=answer.status,
        excerpt=answer.text.replace("\x00", ""),
        duration_ms=duration_ms,
        retry_after=_retry_after(answer.headers.get("retry-after", "")),
    )


def _since(began: float) -> int:
    return int((time.monotonic() - began) * 1000)


def _retry_after(text: str) -> float | None:
    """The seconds that a Retry-After header asks for, as a number or as a date; None for none, or one that says nothing."""
    text = text.strip()
    if text.isascii() and text.isdigit():
        return float(min(int(text[:9]), LONGEST_DELAY))
    try:
        then = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    then = then if then.tzinfo else then.replace(tzinfo=UTC)
    return min(max((then - datetime.now(UTC)).total_seconds(), 0), LONGEST_DELAY)


def _delay(tries: int, retry_after: float | None) -> float | None:
    """Seconds until the next try; None when the message is given up."""
    if tries > len(DELAYS):
        return None
    delay = DELAYS[tries - 1] * (1 + random.uniform(0, JITTER))  # noqa: S311 -- no secret
    return max(delay, retry_after or 0)


@transaction.atomic
def _keep(claimed: Claim, delivery: Delivery, outcome: Outcome) -> None:
    # First the webhook, then its deliveries, as everybody who locks both.
    webhook = Webhook.objects.select_for_update(no_key=True).filter(pk=claimed.webhook).first()
    if webhook is None:
        return
    now = timezone.now()
    told = {"response_status": outcome.status, "error": outcome.error}
    Attempt.objects.filter(delivery=delivery, number=claimed.number).update(
        duration_ms=outcome.duration_ms, response_excerpt=outcome.excerpt, **told
    )
    is_test = delivery.type == Delivery.Type.WEBHOOK_TEST
    pending = Delivery.objects.filter(pk=delivery.pk, state=Delivery.State.PENDING)
    if outcome.accepted:
        pending.update(state=Delivery.State.DELIVERED, next_attempt_at=None, finished_at=now, **told)
    else:
        delay = None if is_test or outcome.status == GONE else _delay(claimed.tries, outcome.retry_after)
        # Only the latest try decides when there is another one.
        latest = pending.filter(attempt_count=claimed.number)
        if delay is None:
            latest.update(state=Delivery.State.FAILED, next_attempt_at=None, finished_at=now, **told)
        else:
            latest.update(next_attempt_at=Now() + timedelta(seconds=delay), **told)
    if not is_test:
        _note_health(webhook, outcome)


def _note_health(webhook: Webhook, outcome: Outcome) -> None:
    """Since when it fails; and switch it off when its receiver wants nothing more, or has accepted nothing for days."""
    since = None if outcome.accepted else webhook.failing_since or timezone.now()
    if since != webhook.failing_since:
        Webhook.objects.filter(pk=webhook.pk).update(failing_since=since)
    if since is None or not webhook.is_enabled:
        return
    if outcome.status == GONE:
        reason = "The receiver answered that it wants no more messages (HTTP 410)."
    elif since <= timezone.now() - timedelta(days=settings.WEBHOOK_FAILING_DAYS):
        reason = f"The receiver has accepted nothing since {since:%-d %B %Y}. The last try: {outcome.error}"[:300]
    else:
        return
    Webhook.objects.filter(pk=webhook.pk).update(is_enabled=False, disabled_reason=reason)
    drop_pending(webhook)
    record(actor=None, action="webhook.disabled", target=webhook, reason=reason)


def drop_pending(webhook: Webhook) -> None:
    """What is still on its way to a webhook that was switched off is given up; a person can send it again."""
    Delivery.objects.filter(webhook=webhook, state=Delivery.State.PENDING).update(
        state=Delivery.State.FAILED,
        next_attempt_at=None,
        finished_at=timezone.now(),
        error="The webhook was switched off before the message was accepted.",
    )

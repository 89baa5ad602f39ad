"""What happens by the clock: schedules start their runs, lost runs are ended, lost messages sent again, old answers forgotten, old
runs cleared by night, the end of the audit trail stored.

Webhooks and mails are sent from threads beside that, every second, in each scheduler: a receiver that is slow holds up nothing else. Where
runs may go to pods, one more thread looks after these, in one scheduler at a time.
"""

from __future__ import annotations

import logging
import signal
import threading
import time
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.core.management.base import BaseCommand
from django.db import connection

from accounts.services import (
    forget_expired_tokens,
    forget_old_answers,
    forget_old_invitations,
    forget_old_personal_tokens,
    forget_old_sessions,
)
from administration.queries.health import SIGN_OF_LIFE
from audit.services import anchor
from buckets.services import sweep_documents
from mindloom import alive
from mindloom.wall.checks import refuse_open_wall
from mindloom.wall.lease import Lease
from notifications.services import forget_old_notifications, note_limits
from notifications.worker import send_due
from runs.services import clear, sweep
from runs.worker import clear_strays, watch_pods
from schedules.worker import forget_old_occurrences, tick
from webhooks.services import forget_old_deliveries
from webhooks.worker import Postman

logger = logging.getLogger(__name__)

TICK_SECONDS = 5.0
BUSY_SECONDS = 0.1
POST_SECONDS = 1.0
HOURLY_TICKS = 720
ANCHOR_TICKS = 12
LOCK = 0x6D696E64  # "mind"
SCHEDULES_SECONDS = 2.0
CLEARING_SECONDS = 2.0
"""Of each tick at most, and that for schedules; the sweep comes every few seconds whatever there is to clear."""
HANGS_AFTER = "15s"


class Command(BaseCommand):
    help = "Tick every few seconds until stopped. Any number may run; one at a time does the work."

    def handle(self, *args: Any, **options: Any) -> None:
        refuse_open_wall()
        stop = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
        works = [_send_webhooks, _send_mails, *([watch_pods] if settings.KUBERNETES_EXECUTOR_IMAGE else [])]
        beside = [threading.Thread(target=one, args=[stop], name=one.__name__) for one in works]
        for thread in beside:
            thread.start()
        lease, ticks = Lease(LOCK, HANGS_AFTER), 0
        while not stop.is_set():
            alive.touch()
            pause = TICK_SECONDS
            try:
                if lease.is_ours():
                    sweep()
                    sweep_documents()
                    pause = _start_scheduled(stop)
                    if ticks % HOURLY_TICKS == 0:
                        forget_old_answers()
                        forget_expired_tokens()
                        forget_old_invitations()
                        forget_old_personal_tokens()
                        forget_old_sessions()
                        clear_strays()
                        forget_old_occurrences()
                        forget_old_notifications()
                        note_limits()
                    if ticks % ANCHOR_TICKS == 0:
                        anchor()
                    forget_old_deliveries()
                    clear(seconds=CLEARING_SECONDS, stopped=stop.is_set)
                    cache.set(SIGN_OF_LIFE, "1", 30)
            except Exception:
                # Whatever one tick meets, the next one is needed all the more.
                logger.exception("A tick failed")
                lease.let_go()
            ticks += 1
            stop.wait(pause)
        for thread in beside:
            thread.join()


def _start_scheduled(stop: threading.Event) -> float:
    """Start what is due by the clock; how long to wait then. When more is due than fits in a tick, the next one comes at once."""
    began = time.monotonic()
    tick(seconds=SCHEDULES_SECONDS, stopped=stop.is_set)
    return BUSY_SECONDS if time.monotonic() - began >= SCHEDULES_SECONDS else TICK_SECONDS


def _send_webhooks(stop: threading.Event) -> None:
    """Until the scheduler stops; what is under way then is finished."""
    postman = Postman()
    while not stop.is_set():
        try:
            postman.round()
        except Exception:
            # The database may be away; the messages wait in it.
            logger.exception("Webhooks could not be sent")
        connection.close()
        stop.wait(POST_SECONDS)
    postman.close()


def _send_mails(stop: threading.Event) -> None:
    """Until the scheduler stops; the mail that is under way then is finished."""
    while not stop.is_set():
        try:
            send_due(stopped=stop.is_set)
        except Exception:
            # The database may be away; the notifications wait in it.
            logger.exception("Notifications could not be mailed")
        connection.close()
        stop.wait(POST_SECONDS)

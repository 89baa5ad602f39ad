"""The Celery application. A thread pool: runs wait on the network, so one process carries many."""

from __future__ import annotations

import logging
import os
import threading
import warnings
from typing import Any

from celery import Celery
from celery.signals import worker_init, worker_ready, worker_shutting_down
from kombu.transport import redis as transport

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mindloom.settings")

logger = logging.getLogger(__name__)

# Containers and `make run` as root are ordinary here; the pool is threads and runs no code that people send.
warnings.filterwarnings("ignore", message=".*superuser privileges.*")


class _QoS(transport.QoS):
    """Gives messages under way back to the queue when the connection ends, if there is still a connection.

    A message that could be neither given back nor taken out comes again, which does no harm: its run is taken once.
    """

    def ack(self, delivery_tag: str) -> None:
        """A run that ends while Redis is gone; kombu's error would end the worker's main loop for good."""
        try:
            super().ack(delivery_tag)
        except Exception as error:  # noqa: BLE001 -- as below
            logger.warning("A message that was carried out could not be taken out of Redis: %s", error)

    def restore_unacked(self, client: Any = None) -> Any:
        """When Redis is gone this fails, and Celery would take that for the end of the worker instead of connecting again."""
        try:
            return super().restore_unacked(client)
        except Exception as error:  # noqa: BLE001 -- redis-py's errors, and kombu's AttributeError for a connection without transport
            logger.warning("Messages under way could not be given back (%s); the scheduler sends them again.", error)
            if self._delivered:
                self._delivered.clear()
            return None


transport.Channel.QoS = _QoS

app = Celery("mindloom")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["runs", "buckets"])

DOCUMENTS = "documents"
"""The queue of files that are to be read. A worker that serves it alone (`-Q documents`) carries no runs and stays small."""


def _carries_runs() -> bool:
    return set(app.amqp.queues.consume_from) != {DOCUMENTS}


SHUT_DOWN = "The worker was shut down before the run had ended."


@worker_init.connect
def _prepare(**_: Any) -> None:
    from mindloom.wall.checks import refuse_open_wall  # needs loaded apps
    from runs.worker import warm_up

    refuse_open_wall()
    if _carries_runs():
        # Before the first run comes: a run that waits for Agno's import could not be stopped.
        warm_up()


@worker_ready.connect
def _clean_up(sender: Any = None, **_: Any) -> None:
    from buckets.tasks import wake  # needs loaded apps
    from mindloom import alive
    from runs import services, worker

    alive.touch()
    sender.timer.call_repeatedly(alive.EVERY_SECONDS, alive.touch)
    wake()
    if not _carries_runs():
        return
    worker.show_life()
    services.sweep()


@worker_shutting_down.connect
def _drain(**_: Any) -> None:
    """Celery waits for the tasks under way; after the set time they are ended, so that nothing has to be killed."""
    from django.conf import settings  # needs loaded apps

    from buckets.worker import stop
    from runs.worker import slots, steward

    stop()
    slots.close()
    timer = threading.Timer(settings.WORKER_DRAIN_SECONDS, steward.interrupt, [SHUT_DOWN])
    timer.daemon = True
    timer.start()

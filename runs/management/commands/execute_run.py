"""What the pod of a run does: carries out this one run, for the attempt that the pod was made for, and ends."""

from __future__ import annotations

import logging
import signal
import threading
import time
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand
from django.db import InterfaceError, OperationalError

from mindloom.wall.checks import refuse_open_wall
from runs import worker
from runs.tasks import wake

logger = logging.getLogger(__name__)

TOLD_TO_STOP = "Its pod was told to stop."
PATIENCE_SECONDS = 60.0
"""How long a database that is away when the pod starts is waited for."""


class Command(BaseCommand):
    help = "Carry out one run that was submitted to Kubernetes. Its pod runs this; nobody else needs to."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("run", type=UUID)
        parser.add_argument("--attempt", type=int, required=True, help="The claim that the pod was made for")

    def handle(self, *args: Any, **options: Any) -> None:
        signal.signal(signal.SIGTERM, _stop)
        refuse_open_wall()
        logger.info("The run %s is carried out here, attempt %s", options["run"], options["attempt"])
        worker.warm_up()
        if not _execute(str(options["run"]), options["attempt"]):
            logger.warning("The run %s is not there for attempt %s any more", options["run"], options["attempt"])
        # There is room for another pod now, and for another run of the department; if Redis is away, the scheduler says so.
        wake()


def _execute(uuid: str, attempt: int) -> bool:
    began = time.monotonic()
    while True:
        if worker.slots.is_closed:
            return False
        try:
            return worker.execute_in_pod(uuid, attempt)
        except (OperationalError, InterfaceError) as error:
            # Raised by the claim only: what follows it waits for the database by itself.
            if time.monotonic() - began > PATIENCE_SECONDS:
                raise
            logger.warning("The database is away, trying again: %s", error)
            time.sleep(1)


def _stop(*_: Any) -> None:
    """Give the run back. In a thread: what this interrupts may hold the lock that is needed."""
    worker.slots.close()
    threading.Thread(target=_interrupt, name="stop", daemon=True).start()


def _interrupt() -> None:
    """Until the process ends: the run may be claimed in this very moment."""
    while True:
        worker.steward.interrupt(TOLD_TO_STOP)
        time.sleep(0.5)

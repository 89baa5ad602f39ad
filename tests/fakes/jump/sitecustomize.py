"""A clock that jumps: a process started with this folder in PYTHONPATH has it set by so many seconds once a file says how many.

Only the time of day jumps, in Python and in the C functions below it, as when somebody sets a machine's clock; what measures
durations goes on.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path


def _wait(file: Path) -> None:
    import time_machine

    while not file.exists() or not file.read_text():
        time.sleep(0.05)
    seconds = float(file.read_text())
    time_machine.travel(datetime.now(UTC) + timedelta(seconds=seconds), tick=True).start()
    sys.stderr.write(f"The clock jumped by {seconds:g} s.\n")


if "CLOCK_JUMPS_BY" in os.environ:
    threading.Thread(target=_wait, args=[Path(os.environ["CLOCK_JUMPS_BY"])], name="clock", daemon=True).start()

"""Starts the embedded PostgreSQL and Redis for the tests, before Django reads its settings.

With DATABASE_URL and REDIS_URL set, the tests use those. Each worker process of a parallel run has its own database and
Redis prefix.
"""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import tempfile
from pathlib import Path

import pytest

_worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
os.environ["REDIS_PREFIX"] = f"test-{_worker}-{os.getpid()}"
os.environ.setdefault("LOG_LEVEL", "WARNING")

embedded_servers = None
"""The servers that this process started, for tests that kill them."""

if "MINDLOOM_TEST_DATA" not in os.environ:
    _folder = Path(tempfile.mkdtemp(prefix="loom-"))
    os.environ["MINDLOOM_TEST_DATA"] = os.environ["MINDLOOM_DATA"] = str(_folder)
    (_folder / "static").mkdir()
    os.environ["STATIC_ROOT"] = str(_folder / "static")
    from mindloom import embedded

    embedded_servers = embedded.Servers(_folder, durable=False)
    embedded_servers.start()

    def _stop() -> None:
        embedded_servers.stop()
        shutil.rmtree(_folder, ignore_errors=True)

    atexit.register(_stop)
    # A terminated test run ends its servers, too. SystemExit would only fail the test that runs now, and the next would follow.
    signal.signal(signal.SIGTERM, lambda *_: pytest.exit("told to end", returncode=143))

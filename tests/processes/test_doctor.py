"""`manage.py doctor`: what it says when something is away. What it says of a healthy installation is tested with `run`."""

from __future__ import annotations

import pytest
from django.core.cache import cache

from mindloom.management.commands.scheduler import SIGN_OF_LIFE

pytestmark = pytest.mark.processes


def findings(house) -> dict[str, str]:
    """What it found wrong, by the name of the check."""
    lines = house.manage("doctor").stdout.splitlines()
    return {line.split()[1]: line for line in lines if line.startswith("FAILED")}


def test_it_names_what_to_do_about_a_missing_worker_and_scheduler(house, cast):
    cache.delete(SIGN_OF_LIFE)
    found = findings(house)

    assert set(found) == {"worker", "scheduler"}
    assert "Start one: make worker" in found["worker"]
    assert "Start: manage.py scheduler" in found["scheduler"]


def test_it_names_what_to_do_when_redis_is_away(house, cast, redis_process):
    redis_process.kill()
    found = findings(house)

    assert set(found) == {"redis", "worker", "scheduler"}
    assert "correct REDIS_URL" in found["redis"]
    assert "Traceback" not in "".join(found.values())

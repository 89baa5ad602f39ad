"""What load balancers ask: whether the process lives, and whether it can work."""

from __future__ import annotations

import pytest

from accounts.services import update_profile
from audit.queries import opened
from mindloom import pages

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def asked_anew(monkeypatch):
    """The storage is looked at with every question."""
    monkeypatch.setitem(pages.READY, "storage", pages._storage_works)


def test_with_everything_there_it_is_ready(client):
    assert client.get("/readyz").json() == {"status": "ok", "failing": []}
    assert client.get("/livez").status_code == 200


def test_a_storage_that_takes_no_file_is_named(client, settings, tmp_path):
    (tmp_path / "files").write_text("no folder")
    settings.MEDIA_ROOT = tmp_path / "files"
    answer = client.get("/readyz")

    assert answer.status_code == 503
    assert answer.json()["failing"] == ["storage"]
    assert client.get("/livez").status_code == 200


@pytest.mark.django_db(transaction=True)
def test_a_key_ring_without_the_key_of_the_audit_trail_is_named(client, settings, cast):
    """It is closed with the key that there was with the first entry."""
    update_profile(actor=cast.bob, name="Robert")
    assert client.get("/readyz").status_code == 200
    settings.KEY_RING = {"other": b"x" * 32}
    opened.cache_clear()  # as in a process that begins with this ring

    assert client.get("/readyz").json()["failing"] == ["key ring"]


def test_a_storage_that_worked_is_not_asked_each_time(monkeypatch):
    asked = []
    works = pages._now_and_then(lambda: asked.append(1) or len(asked) != 2)
    assert [works() for _ in range(3)] == [True] * 3
    assert len(asked) == 1
    monkeypatch.setattr(pages.time, "monotonic", lambda: 10.0**9)
    assert [works(), works()] == [False, True]
    assert len(asked) == 3

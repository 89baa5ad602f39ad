"""Deleting and pinning a run."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from audit.models import Entry
from mindloom.engine.events import ModelCalled
from mindloom.web.errors import Conflict, NotAllowed
from runs import services
from runs.models import Guard, Run, RunArtifact, RunEvent, State, StrayFile, UsageRecord, append
from tests import factories
from tests.api.stage import asking, finished

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def agent(cast, in_marketing):
    return factories.agent(cast.alice, cast.marketing)


@pytest.fixture
def run(cast, agent, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    made = finished(factories.run(agent, cast.bob))
    path = default_storage.save(f"runs/{made.uuid}/a", ContentFile(b"plan"))
    RunArtifact.objects.create(
        run=made, department=cast.marketing, name="a.txt", media_type="text/plain", size_bytes=4, file=path
    )
    return made


def test_a_run_goes_with_its_log_and_files(run, cast, client_as, tmp_path):
    answer = client_as(cast.bob).delete(f"/api/v1/runs/{run.uuid}")

    assert answer.status_code == 204
    assert not Run.objects.filter(pk=run.pk).exists()
    assert not RunEvent.objects.filter(run_id=run.pk).exists()
    assert not StrayFile.objects.exists()
    assert list(tmp_path.rglob("*/*")) == []


def test_it_is_written_down_who_deleted_what(run, cast, seeing_all):
    services.delete_run(actor=cast.alice, run=run)
    entry = Entry.objects.get(action="run.deleted")
    assert (entry.actor_id, entry.target_id, entry.data["files"]) == (cast.alice.pk, str(run.uuid), 1)


def test_the_page_asks_before_it_deletes(run, cast, client_as):
    client, address = client_as(cast.bob), f"/runs/{run.uuid}/delete/"

    assert "There is no way back" in client.get(address).content.decode()
    refused = client.post(address)
    assert (refused.status_code, Run.objects.filter(pk=run.pk).exists()) == (422, True)
    assert client.post(address, {"confirm": "yes"}).status_code == 302
    assert not Run.objects.filter(pk=run.pk).exists()


def test_a_run_that_has_not_ended_is_not_deleted(agent, cast):
    waiting, _ = asking(factories.run(agent, cast.bob))
    with pytest.raises(Conflict, match="Stop it first"):
        services.delete_run(actor=cast.bob, run=waiting)


def test_somebody_elses_run_is_not_deleted(run, cast):
    with pytest.raises(NotAllowed):
        services.delete_run(actor=cast.carol, run=run)


def test_what_repeats_it_stays(run, agent, cast):
    again = factories.run(agent, cast.bob, retry_of=run)
    services.delete_run(actor=cast.bob, run=run)
    again.refresh_from_db()
    assert again.retry_of is None


def test_a_pinned_run_is_kept(run, cast, client_as):
    client = client_as(cast.bob)
    assert client.post(f"/api/v1/runs/{run.uuid}/pin").json()["pinned_at"]
    assert client.delete(f"/api/v1/runs/{run.uuid}").json()["code"] == "run_pinned"
    assert "Pinned" in client.get(f"/runs/{run.uuid}/").content.decode()
    assert client.delete(f"/api/v1/runs/{run.uuid}/pin").json()["pinned_at"] is None


def test_pinning_is_done_from_the_page(run, cast, client_as):
    client = client_as(cast.bob)
    client.post(f"/runs/{run.uuid}/pin/", {"pin": "1"})
    run.refresh_from_db()
    assert run.pinned_by == cast.bob
    client.post(f"/runs/{run.uuid}/pin/", {"pin": "0"})
    run.refresh_from_db()
    assert run.pinned_at is None


def test_files_go_only_when_the_deletion_is_committed(run, cast, tmp_path):
    from django.db import transaction

    with transaction.atomic():
        services.delete_run(actor=cast.bob, run=run)
        transaction.set_rollback(True)
    assert default_storage.exists(run.artifacts.get().file.name)


def test_a_file_that_the_storage_keeps_is_removed_by_the_sweep(run, cast, monkeypatch):
    from datetime import timedelta

    from runs import worker
    from runs.worker import clearing

    path = run.artifacts.get().file.name
    with monkeypatch.context() as broken:
        broken.setattr("django.core.files.storage.FileSystemStorage.delete", lambda self, name: 1 / 0)
        services.delete_run(actor=cast.bob, run=run)
    assert default_storage.exists(path)

    monkeypatch.setattr(clearing, "STRAY_AFTER", timedelta(0))
    assert worker.clear_strays() == 1
    assert not default_storage.exists(path)


def test_what_a_deleted_run_used_stays_in_the_ledger(agent, cast):
    run = factories.run(agent, cast.bob)
    used = {"provider": "p", "model": "m", "turn": 1, "duration_ms": 1, "tokens_in": 7, "tokens_out": 3}
    queued = Guard(states=(State.QUEUED,))
    append(run.pk, [ModelCalled(**used)], guard=queued, state=State.COMPLETED, finished_at=datetime.now(UTC))
    services.delete_run(actor=cast.bob, run=run)
    record = UsageRecord.objects.get()
    assert (record.run_id, record.tokens_in) == (None, 7)

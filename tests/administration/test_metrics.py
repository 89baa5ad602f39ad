"""What Prometheus reads: numbers of all departments, for whoever has the token."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client.parser import text_string_to_metric_families

from buckets.models import State as DocumentState
from buckets.models import Version
from integrations.providers.shared import Unknown, shared
from mindloom import wall
from runs.models import Executor, Reason, Run, State
from tests import factories

TOKEN = "read-the-numbers"
WAITS = {"state": State.QUEUED, "reason": Reason.WAITING_FOR_WORKER}


@pytest.fixture(autouse=True)
def _opened(settings):
    settings.METRICS_TOKEN = TOKEN


@pytest.fixture
def made(cast):
    """Runs of two departments: three wait, one of them for its time; one runs; two have ended, one of them long ago."""
    now = datetime.now(UTC)
    with wall.system("tests: things of two departments"):
        scout = factories.agent(cast.alice, cast.marketing, name="Scout")
        vault = factories.agent(cast.mallory, cast.finance, name="Vault")
        factories.run(scout, cast.alice, **WAITS)
        oldest = factories.run(vault, cast.mallory, **WAITS)
        Run.objects.filter(pk=oldest.pk).update(queued_at=now - timedelta(seconds=90))
        factories.run(scout, cast.alice, **WAITS, not_before=now + timedelta(hours=1))
        factories.run(scout, cast.alice, state=State.RUNNING)
        factories.run(vault, cast.mallory, state=State.FAILED, finished_at=now)
        factories.run(vault, cast.mallory, state=State.COMPLETED, finished_at=now - timedelta(hours=2))


def ask(client, token=TOKEN):
    return client.get("/metrics", headers={"Authorization": f"Bearer {token}"})


def numbers(client):
    """Every sample by its name and its labels' values."""
    families = text_string_to_metric_families(ask(client).content.decode())
    return {(one.name, *one.labels.values()): one.value for family in families for one in family.samples}


def test_without_a_token_in_the_settings_there_is_no_such_address(client, db, settings):
    settings.METRICS_TOKEN = ""
    assert ask(client, "").status_code == 404


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer wrong", f"Basic {TOKEN}", TOKEN])
def test_without_the_right_token_nothing_is_told(client, db, header):
    answer = client.get("/metrics", headers={"Authorization": header} if header else {})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert "mindloom_" not in answer.content.decode()


def test_an_administrator_without_the_token_is_told_nothing(cast, client_as):
    assert client_as(cast.ada).get("/metrics").status_code == 401


def test_it_is_text_that_prometheus_reads(client, db):
    answer = ask(client)
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert "no-store" in answer.headers["Cache-Control"]


def test_runs_of_all_departments_are_counted_by_state(client, made):
    found = numbers(client)
    assert [found["mindloom_runs", state] for state in ("queued", "running", "waiting")] == [3, 1, 0]
    assert [found["mindloom_runs_ended_lately", state] for state in ("completed", "failed", "cancelled")] == [0, 1, 0]


def test_the_queue_is_what_may_start_now(client, made):
    found = numbers(client)
    assert found["mindloom_queue_depth", "celery"] == 2
    assert found["mindloom_queue_depth", "kubernetes"] == 0
    assert 90 <= found["mindloom_queue_oldest_seconds",] < 120


def test_an_empty_queue_is_said_too(client, db):
    found = numbers(client)
    assert found["mindloom_queue_depth", "celery"] == found["mindloom_queue_oldest_seconds",] == 0


def test_runs_in_pods_are_told_apart_from_those_in_workers(client, made, cast):
    with wall.system("tests: runs in pods"):
        scout = Run.objects.filter(department=cast.marketing).first().agent
        place = {"executor": Executor.KUBERNETES}
        factories.run(scout, cast.alice, **WAITS, **place)
        factories.run(scout, cast.alice, **place, reason=Reason.WAITING_FOR_POD, submitted_at=datetime.now(UTC))
        factories.run(scout, cast.alice, **place, state=State.RUNNING)
    found = numbers(client)

    assert [found["mindloom_queue_depth", one] for one in ("celery", "kubernetes")] == [2, 1]
    assert (found["mindloom_runs_in_workers",], found["mindloom_runs_in_pods",]) == (1, 2)


def test_files_that_are_not_ready_are_counted(client, cast):
    with wall.system("tests: a file"):
        factories.bucket(cast.alice, cast.marketing)
        Version.objects.update(state=DocumentState.EXTRACTED)
    assert numbers(client)["mindloom_documents_waiting",] == 1


def test_workers_are_missing_while_nothing_is_known_of_them(client, db, monkeypatch):
    assert ("mindloom_workers",) in numbers(client)

    def away(*_):
        raise Unknown

    monkeypatch.setattr(shared, "script", away)
    assert ("mindloom_workers",) not in numbers(client)


def test_neither_departments_nor_people_nor_texts_are_named(client, made, cast):
    text = ask(client).content.decode()
    assert [word for word in ("arketing", "inance", "Scout", "Vault", "alice", "mallory") if word in text] == []


def test_it_costs_the_same_however_many_runs_there_are(client, made, django_assert_max_num_queries):
    with django_assert_max_num_queries(12):
        ask(client)

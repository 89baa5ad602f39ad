"""Runs that go to pods: taken in turn and within the limits, claimed by their own pod alone, stopped at once while they wait."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import call_command

from mindloom import wall
from runs import services
from runs.models import Executor, Reason, Run, State
from runs.queries import Why, standing
from runs.worker import reap
from runs.worker.claim import claim, claim_in_pod, claim_next
from runs.worker.pods import submitting
from runs.worker.pods.cluster import Refused
from runs.worker.pods.naming import Attempt
from tests import factories


@pytest.fixture
def house(cast, transactional_db, settings):
    """An agent of Marketing whose runs go to pods; the test sees every department."""
    settings.RUN_EXECUTOR, settings.KUBERNETES_EXECUTOR_IMAGE = "kubernetes", "mindloom:1"
    with wall.system("tests: look behind the scenes"):
        yield factories.agent(cast.alice, cast.marketing)


def queued(house, by, count=1):
    return [factories.run(house, by, executor=Executor.KUBERNETES) for _ in range(count)]


def fresh(run):
    return Run.objects.get(pk=run.pk)


def test_one_that_is_taken_stays_queued_and_is_not_taken_again(cast, house):
    (run,) = queued(house, cast.bob)
    taken, number = claim_next(background=True)

    assert (taken.pk, number) == (run.pk, 1)
    assert (fresh(run).state, fresh(run).reason) == (State.QUEUED, Reason.WAITING_FOR_POD)
    assert fresh(run).submitted_at is not None
    assert claim_next(background=True) is None
    assert claim(run.pk) is None, "a message does not bring it into a worker"


def test_its_pod_claims_it_and_no_other_pod(cast, house):
    (run,) = queued(house, cast.bob)
    _, number = claim_next(background=True)

    assert claim_in_pod(str(run.uuid), number + 1) is None
    claimed, fence = claim_in_pod(str(run.uuid), number)
    assert (claimed.pk, fence) == (run.pk, number)
    assert (fresh(run).state, fresh(run).submitted_at) == (State.RUNNING, None)
    assert Attempt.of(fresh(run)) == Attempt(str(run.uuid), number)
    assert claim_in_pod(str(run.uuid), number) is None


def test_no_more_pods_than_there_may_be_and_workers_go_on(cast, house, settings):
    settings.KUBERNETES_MAX_JOBS = 2
    queued(house, cast.bob, 4)
    in_worker = factories.run(house, cast.bob)
    taken = [found[0] for _ in range(5) if (found := claim_next(background=True)) is not None]

    assert [one.executor for one in taken].count("kubernetes") == 2
    assert in_worker.pk in {one.pk for one in taken}
    assert len(taken) == 3


def test_one_on_its_way_counts_for_the_department(cast, house, settings):
    settings.RUNS_PER_DEPARTMENT = 1
    queued(house, cast.bob, 2)
    assert claim_next(background=True) is not None
    assert claim_next(background=True) is None


def test_stopping_one_that_waits_for_its_pod_ends_it_at_once(cast, house):
    (run,) = queued(house, cast.bob)
    claim_next(background=True)
    services.stop_run(actor=cast.bob, run=run)

    assert fresh(run).state == State.CANCELLED
    assert claim_in_pod(str(run.uuid), 1) is None
    assert not Run.objects.in_pods().exists()


def test_the_reaper_leaves_one_that_waits_for_its_pod_alone(cast, house):
    (run,) = queued(house, cast.bob)
    claim_next(background=True)
    Run.objects.filter(pk=run.pk).update(heartbeat_at="2026-01-01T00:00:00Z")
    assert reap() == 0


class Refusing:
    """A cluster that does not make the job."""

    def __init__(self, **how):
        self.how = how

    def create_job(self, manifest):
        raise Refused("Kubernetes does not.", **self.how)


@pytest.fixture
def refusing(monkeypatch):
    def refuse(**how):
        monkeypatch.setattr(submitting, "cluster", lambda: Refusing(**how))

    return refuse


def test_what_passes_is_said_and_tried_again(cast, house, refusing):
    refusing(kind="quota", passes=True)
    (run,) = queued(house, cast.bob)
    for _ in range(2):
        submitting.submit(*(claim_next(background=True) or (fresh(run), 1)))

    assert (fresh(run).state, fresh(run).reason, fresh(run).reason_message) == (
        "queued",
        "quota",
        "Kubernetes does not.",
    )
    assert fresh(run).submitted_at is not None
    said = [event.data["message"] for event in run.events.filter(type="log.written")]
    assert said.count("Kubernetes does not.") == 1, "a sentence is said once"
    assert standing(fresh(run)).code == Why.POD_TROUBLE


def test_what_cannot_work_ends_the_run_with_the_reason(cast, house, refusing):
    refusing(kind="cluster")
    (run,) = queued(house, cast.bob)
    submitting.submit(*claim_next(background=True))

    assert (fresh(run).state, fresh(run).reason) == (State.FAILED, Reason.CLUSTER)


def test_what_breaks_mindloom_itself_ends_the_run_instead_of_holding_it_for_ever(cast, house, monkeypatch):
    monkeypatch.setattr(submitting, "cluster", lambda: None)
    (run,) = queued(house, cast.bob)
    submitting.submit(*claim_next(background=True))

    assert (fresh(run).state, fresh(run).reason) == (State.FAILED, Reason.SYSTEM_ERROR)


def test_the_reaper_gives_up_what_no_pod_took_and_nobody_watches(cast, house, settings):
    late, early = queued(house, cast.bob, 2)
    for _ in range(2):
        claim_next(background=True)
    long_ago = datetime.now(UTC) - timedelta(seconds=settings.KUBERNETES_PENDING_SECONDS + 180)
    Run.objects.filter(pk=late.pk).update(submitted_at=long_ago)

    assert reap() == 1
    assert (fresh(late).state, fresh(late).reason) == (State.FAILED, Reason.LOST)
    assert fresh(early).state == State.QUEUED


def test_why_it_waits_is_said(cast, house, settings):
    settings.KUBERNETES_MAX_JOBS = 1
    first, second = queued(house, cast.bob, 2)
    claim_next(background=True)

    assert standing(fresh(first)).code == Why.POD_STARTING
    found = standing(fresh(second))
    assert found.code in {Why.PODS_LIMIT, Why.NO_WORKER}


def test_a_pod_that_comes_too_late_ends_without_a_word_in_the_log(cast, house):
    (run,) = queued(house, cast.bob)
    call_command("execute_run", str(run.uuid), "--attempt", "7")
    assert (fresh(run).state, run.events.count()) == (State.QUEUED, 0)

"""Somebody who waits for an answer is not made to wait behind what runs by the clock."""

from __future__ import annotations

from datetime import timedelta

import pytest

from runs import services
from runs.models import Run, State, Trigger
from runs.services.sending import ENOUGH, messages_waiting
from tests import factories
from tests.processes.harness import HELLO, SLOW, ended, until

pytestmark = pytest.mark.processes

PROMISE = timedelta(seconds=2)
SCHEDULED = 500


def schedule(stage, agent, count):
    for number in range(count):
        services.start_run(actor=stage.cast.alice, target=agent, text=f"Report {number}", trigger=Trigger.SCHEDULE)


def test_behind_500_scheduled_runs_a_person_in_another_department_waits_less_than_2_seconds(house, stage):
    house.worker(WORKER_CONCURRENCY=4)
    schedule(stage, stage.agent([SLOW], seconds=60), SCHEDULED)
    until(lambda: Run.objects.filter(state=State.RUNNING).count() == 3, "the slots for the background are taken")
    counter = factories.agent(stage.cast.mallory, stage.cast.finance, name="Counter", definition=_answers(stage))
    runs = [ended(services.start_run(actor=stage.cast.mallory, target=counter, text="Hello")) for _ in range(3)]

    assert [run.state for run in runs] == [State.COMPLETED] * 3
    assert max(run.started_at - run.queued_at for run in runs) < PROMISE
    assert Run.objects.filter(state=State.QUEUED).count() >= SCHEDULED - 3 * 3
    assert messages_waiting() <= ENOUGH


def test_departments_share_a_worker_that_is_full(house, stage):
    briefly = {"text": ["word "] * 5, "pace_ms": 100}
    many = stage.agent([briefly])
    few = factories.agent(stage.cast.mallory, stage.cast.finance, name="Counter", definition=_answers(stage))
    asked = [services.start_run(actor=stage.cast.bob, target=many, text=f"Number {number}") for number in range(40)]
    mine = services.start_run(actor=stage.cast.mallory, target=few, text="Hello")
    house.worker(WORKER_CONCURRENCY=2)
    ended(mine)

    assert Run.objects.filter(pk__in=[run.pk for run in asked], started_at__lt=mine.started_at).count() <= 4
    assert {ended(run).state for run in asked} == {State.COMPLETED}


def test_what_one_worker_leaves_another_one_carries_out(house, stage):
    """The limits hold for all workers together, and a slot that becomes free is used at once."""
    agent = stage.agent([{"text": ["word "] * 3, "pace_ms": 100}])
    house.settings["RUNS_PER_AGENT"] = "3"
    workers = [house.worker(WORKER_CONCURRENCY=4), house.worker(WORKER_CONCURRENCY=4)]
    runs = [services.start_run(actor=stage.cast.bob, target=agent, text=f"Number {number}") for number in range(24)]
    most = 0

    def all_ended():
        nonlocal most
        most = max(most, Run.objects.filter(state=State.RUNNING).count())
        return not Run.objects.live().exists()

    until(all_ended, "all have ended")
    assert most <= 3
    assert {ended(run).state for run in runs} == {State.COMPLETED}
    assert len({run.claimed_by for run in runs}) == len(workers)


def _answers(stage):
    return {"model": stage.agent([HELLO]).published.definition["model"]}

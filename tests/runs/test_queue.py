"""Whose turn it is: people first, departments in turn, and no limit is ever passed."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from integrations.providers import limiter
from mindloom import wall
from mindloom.engine.events import RunCompleted
from mindloom.engine.scripted import ScriptedRunner
from runs import services, worker
from runs.models import Priority, Run, State, Trigger
from runs.worker.claim import claim_next
from runs.worker.queue import Slots
from tests import factories

LATER = datetime.now(UTC) + timedelta(hours=1)


@pytest.fixture
def house(cast, transactional_db):
    """An agent of Marketing and one of Finance; the test sees both."""
    with wall.system("tests: look behind the scenes"):
        yield {
            "marketing": factories.agent(cast.alice, cast.marketing),
            "finance": factories.agent(cast.mallory, cast.finance, name="Counter"),
        }


def scheduled(agent, by, count=1, **fields):
    background = {"trigger": Trigger.SCHEDULE, "priority": Priority.BACKGROUND}
    return [factories.run(agent, by, **background, **fields) for _ in range(count)]


def asked(agent, by, count=1, **fields):
    return [factories.run(agent, by, **fields) for _ in range(count)]


def taken(count=100, *, background=True):
    """The ids of what is taken, in order."""
    found = []
    while len(found) < count and (claimed := claim_next(background=background)) is not None:
        found.append(claimed[0].pk)
    return found


def ids(*runs):
    return [run.pk for run in runs]


def test_the_oldest_comes_first(cast, house):
    runs = asked(house["marketing"], cast.bob, 3)

    assert taken() == ids(*runs)


def test_people_come_before_schedules(cast, house):
    background = scheduled(house["marketing"], cast.alice, 3)
    person = asked(house["finance"], cast.mallory)

    assert taken() == ids(*person, *background)


def test_the_priority_follows_from_what_started_the_run(cast, house):
    runs = [
        services.start_run(actor=cast.bob, target=house["marketing"], text="Hello", trigger=trigger)
        for trigger in (Trigger.PERSON, Trigger.API, Trigger.SCHEDULE)
    ]

    assert [run.priority for run in runs] == [Priority.PEOPLE, Priority.PEOPLE, Priority.BACKGROUND]


def test_departments_take_turns(cast, house):
    many = asked(house["marketing"], cast.bob, 4)
    few = asked(house["finance"], cast.mallory, 2)

    assert taken() == ids(many[0], few[0], many[1], few[1], *many[2:])


def test_a_department_that_may_run_more_gets_more_of_the_workers(cast, house):
    type(cast.marketing).objects.filter(pk=cast.marketing.pk).update(max_running=30)
    type(cast.finance).objects.filter(pk=cast.finance.pk).update(max_running=10)
    asked(house["marketing"], cast.bob, 20)
    asked(house["finance"], cast.mallory, 20)
    taken(12)

    running = Run.objects.filter(state=State.RUNNING)
    assert running.filter(department=cast.marketing).count() == 9
    assert running.filter(department=cast.finance).count() == 3


def test_a_department_at_its_limit_waits_and_the_others_do_not(cast, house):
    type(cast.marketing).objects.filter(pk=cast.marketing.pk).update(max_running=2)
    many = asked(house["marketing"], cast.bob, 5)
    other = asked(house["finance"], cast.mallory, 3)

    assert sorted(taken()) == sorted(ids(*many[:2], *other))


def test_a_run_that_ended_makes_room(cast, house, settings):
    settings.RUNS_PER_DEPARTMENT = 1
    first, second = asked(house["marketing"], cast.bob, 2)
    assert taken() == [first.pk]
    Run.objects.filter(pk=first.pk).update(state=State.FAILED, finished_at=datetime.now(UTC))

    assert taken() == [second.pk]


def test_an_agent_at_its_limit_waits_wherever_it_runs(cast, house, settings):
    settings.RUNS_PER_AGENT = 2
    asked(house["marketing"], cast.bob, 3)
    other = factories.agent(cast.alice, cast.marketing, name="Other")
    [free] = asked(other, cast.bob)

    assert len(taken()) == 3
    free.refresh_from_db()
    assert free.state == State.RUNNING


def test_a_person_at_their_limit_waits_and_their_schedules_do_not_count(cast, house, settings):
    settings.RUNS_PER_PERSON = 2
    scheduled(house["marketing"], cast.bob, 5)
    mine = asked(house["marketing"], cast.bob, 3)
    [others] = asked(house["marketing"], cast.alice)
    found = taken()

    assert set(ids(*mine[:2], others)) < set(found)
    assert mine[2].pk not in found
    assert len(found) == 8


def test_of_a_limit_schedules_leave_a_share_for_people(cast, house, settings):
    settings.RUNS_PER_DEPARTMENT = 8
    scheduled(house["marketing"], cast.alice, 10)
    assert len(taken()) == 6

    asked(house["marketing"], cast.bob, 10)
    assert len(taken()) == 2


def test_without_a_background_slot_only_runs_of_people_are_taken(cast, house):
    scheduled(house["marketing"], cast.alice, 3)
    person = asked(house["marketing"], cast.bob)

    assert taken(background=False) == ids(*person)


def test_a_run_is_not_started_before_its_time(cast, house):
    later = asked(house["marketing"], cast.bob, not_before=LATER)
    now = asked(house["marketing"], cast.bob)
    due = asked(house["marketing"], cast.bob, not_before=datetime.now(UTC) - timedelta(hours=1))

    assert taken() == ids(*due, *now)
    assert Run.objects.get(pk=later[0].pk).state == State.QUEUED


def test_runs_of_a_limited_provider_wait_and_the_others_do_not(cast, house):
    key = 7_000_000_007
    held = asked(house["marketing"], cast.bob, provider_key=key)
    free = asked(house["marketing"], cast.bob)
    limiter.hold(key, 1.0)
    assert taken() == ids(*free)

    deadline = datetime.now(UTC) + timedelta(seconds=10)
    while not (found := taken()) and datetime.now(UTC) < deadline:
        threading.Event().wait(0.05)
    assert found == ids(*held)


@pytest.mark.parametrize("limit", ["RUNS_PER_DEPARTMENT", "RUNS_PER_AGENT", "RUNS_PER_PERSON"])
def test_a_limit_is_never_passed_however_many_claim_at_once(cast, house, settings, limit):
    setattr(settings, limit, 5)
    asked(house["marketing"], cast.bob, 40)
    start = threading.Barrier(8)

    def claim_all(_):
        start.wait()
        found = taken()
        connection.close()
        return found

    with ThreadPoolExecutor(8) as pool:
        found = [run for each in pool.map(claim_all, range(8)) for run in each]

    assert len(found) == len(set(found)) == 5
    assert Run.objects.filter(state=State.RUNNING).count() == 5


def test_schedules_leave_slots_of_the_worker_free(cast, house, settings):
    settings.WORKER_CONCURRENCY, settings.WORKER_RESERVED_FOR_PEOPLE = 4, 1
    scheduled(house["marketing"], cast.alice, 10)
    slots, entered = Slots(), []
    for _ in range(4):
        entered.append(slots.next())
        entered[-1].__enter__()
    asked(house["finance"], cast.mallory)
    with slots.next() as claimed:
        assert claimed[0].priority == Priority.PEOPLE
    assert Run.objects.filter(state=State.RUNNING, priority=Priority.BACKGROUND).count() == 3

    entered[0].__exit__(None, None, None)
    with slots.next() as claimed:
        assert claimed[0].priority == Priority.BACKGROUND


def test_one_message_is_enough_for_everything_that_may_start(cast, house):
    runs = scheduled(house["marketing"], cast.alice, 5) + asked(house["finance"], cast.mallory, 3)

    assert worker.work(ScriptedRunner([RunCompleted(output="Done.")])) is False
    assert {Run.objects.get(pk=run.pk).state for run in runs} == {State.COMPLETED}


def test_a_worker_that_stops_takes_nothing_more(cast, house):
    asked(house["marketing"], cast.bob)
    slots = Slots()
    slots.close()

    with slots.next() as claimed:
        assert claimed is None


def test_a_lost_message_is_sent_again_only_for_what_could_start(cast, house, settings):
    settings.RUNS_PER_PERSON = 1
    old = datetime.now(UTC) - timedelta(minutes=1)
    asked(house["marketing"], cast.bob, 2)
    lost = asked(house["finance"], cast.mallory)
    asked(house["marketing"], cast.alice, not_before=LATER)
    Run.objects.update(sent_at=old)
    taken(1)

    assert worker.stale_queued() == ids(*lost)
    assert worker.stale_queued() == []


def test_a_run_whose_time_has_come_is_found_by_the_sweeper(cast, house):
    [run] = asked(house["marketing"], cast.bob, not_before=datetime.now(UTC) - timedelta(milliseconds=1))
    Run.objects.filter(pk=run.pk).update(sent_at=datetime.now(UTC) - timedelta(seconds=2))

    assert worker.stale_queued() == [run.pk]


def test_what_is_queued_beyond_all_slots_sends_no_more_messages(cast, house, monkeypatch):
    sent = []
    monkeypatch.setattr("runs.services.sending.wake", sent.append)
    monkeypatch.setattr("runs.services.sending.messages_waiting", lambda: services.sending.ENOUGH)

    services.start_run(actor=cast.bob, target=house["marketing"], text="Hello")
    assert sent == []

"""The tick: every time of a schedule gets one row, with what the schedule says becomes of it."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, time, timedelta

import pytest
from django.core import mail
from django.db import IntegrityError, connection, transaction

from accounts.models import Membership
from agents.models import Agent
from mindloom import wall
from notifications.models import Notification
from notifications.queries import told
from runs import services as runs
from runs.models import Run, State, Trigger
from schedules import services, worker
from schedules.models import Occurrence, Schedule
from tests.schedules.conftest import DAY, HOUR, MINUTE, NOON, again, end_runs, ledger, outcomes, runs_of

Overlap, Missed, Outcome = Schedule.Overlap, Schedule.Missed, Occurrence.Outcome


@pytest.fixture
def telling(cast):
    """Whom notifications of schedules are for, and what they say."""

    def read():
        with wall.tenant([cast.marketing.pk]):
            found = Notification.objects.filter(kind="schedule").order_by("id").select_related("person")
            return [(one.person, f"{told(one).title}. {told(one).text}") for one in found]

    return read


def test_a_run_is_started_at_its_time_for_the_owner(schedule, clock, cast):
    made = schedule(starts_at=NOON + HOUR, next_at=NOON + HOUR)

    assert clock.tick() == 0
    assert clock.tick(HOUR + timedelta(seconds=4)) == 1

    assert ledger(made) == [(NOON + HOUR, "ran")]
    [run] = runs_of(made)
    assert (run.started_by, run.department, run.trigger, run.input) == (
        cast.bob,
        cast.marketing,
        Trigger.SCHEDULE,
        "Look around.",
    )
    assert again(made).next_at == NOON + 2 * HOUR


def test_a_second_look_starts_nothing_twice(schedule, clock):
    made = schedule()
    clock.tick()
    assert clock.tick() == 0
    assert outcomes(made) == ["ran"]


def test_the_ledger_takes_each_time_once(schedule, clock):
    made = schedule()
    clock.tick()
    with wall.tenant([made.department_id]):
        row = made.occurrences.get()
        row.pk = None
        with pytest.raises(IntegrityError, match="occurrence_once"), transaction.atomic():
            row.save()


@pytest.mark.parametrize(
    ("overlap", "expected"),
    [
        (Overlap.SKIP, ["ran", "overlap", "overlap", "ran"]),
        (Overlap.ALLOW, ["ran", "ran", "ran", "ran"]),
        (Overlap.CANCEL, ["ran", "ran", "ran", "ran"]),
    ],
)
def test_the_run_before_is_still_under_way(schedule, clock, overlap, expected):
    made = schedule(overlap=overlap)
    for number in range(4):
        if number == 3:
            end_runs()
        clock.tick(HOUR if number else timedelta())

    assert outcomes(made) == expected
    states = [run.state for run in runs_of(made)]
    assert (
        states
        == {
            Overlap.SKIP: ["completed", "queued"],
            Overlap.ALLOW: ["completed", "completed", "completed", "queued"],
            Overlap.CANCEL: ["cancelled", "cancelled", "completed", "queued"],
        }[overlap]
    )


def test_one_waits_and_starts_when_the_run_before_has_ended(schedule, clock):
    made = schedule(overlap=Overlap.QUEUE)
    for later in (timedelta(), HOUR, HOUR):
        clock.tick(later)
    assert outcomes(made) == ["ran", "waiting", "overlap"]

    end_runs()
    clock.tick(20 * MINUTE)

    assert outcomes(made) == ["ran", "ran", "overlap"]
    with wall.tenant([made.department_id]):
        assert "waited for the run before until 2026-03-02 14:20" in made.occurrences.order_by("planned_at")[1].message
    clock.tick(40 * MINUTE)
    assert outcomes(made) == ["ran", "ran", "overlap", "waiting"]


def test_times_that_still_wait_take_no_turn_from_those_that_are_due(schedule, clock):
    for _ in range(2):
        schedule(overlap=Overlap.QUEUE)
    clock.tick()
    clock.tick(HOUR)
    due, turns = schedule(next_at=clock.at), iter([False])

    worker.tick(clock.at, stopped=lambda: next(turns, True))

    assert outcomes(due) == ["ran"]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"missed": Missed.SKIP}, ["ran", "missed", "missed", "missed", "ran"]),
        ({"missed": Missed.LATEST}, ["ran", "missed", "missed", "caught_up", "ran"]),
        ({"missed": Missed.ALL}, ["ran", "caught_up", "caught_up", "caught_up", "ran"]),
        ({"missed": Missed.ALL, "catch_up_minutes": 100}, ["ran", "missed", "caught_up", "caught_up", "ran"]),
        ({"missed": Missed.LATEST, "catch_up_minutes": 29}, ["ran", "missed", "missed", "missed", "ran"]),
        ({"missed": Missed.ALL, "not_after": time(15, 30)}, ["ran", "caught_up", "caught_up", "caught_up", "ran"]),
        ({"missed": Missed.ALL, "not_after": time(15, 29)}, ["ran", "missed", "missed", "missed", "ran"]),
    ],
)
def test_times_at_which_nothing_ticked(schedule, clock, fields, expected):
    made = schedule(overlap=Overlap.ALLOW, **fields)
    clock.tick()
    clock.tick(3 * HOUR + 30 * MINUTE)
    clock.tick(30 * MINUTE)

    assert ledger(made) == list(zip([NOON + number * HOUR for number in range(5)], expected, strict=True))


def test_the_hour_after_which_nothing_is_caught_up_is_of_the_same_day(schedule, clock):
    made = schedule(
        missed=Missed.ALL, not_after=time(23, 0), catch_up_minutes=3 * 24 * 60, rule={"kind": "daily", "at": "12:00"}
    )
    clock.tick(2 * DAY + HOUR)
    assert outcomes(made) == ["missed", "missed", "caught_up"]


def test_a_pause_is_in_the_ledger(schedule, clock):
    made = schedule()
    clock.tick()
    with wall.tenant([made.department_id]):
        Schedule.objects.filter(pk=made.pk).update(paused_at=NOON + 30 * MINUTE, paused_reason="Paused by Bob.")
    clock.tick(2 * HOUR)
    assert outcomes(made) == ["ran", "paused", "paused"]


def test_what_was_missed_before_a_pause_is_not_caught_up_during_it(schedule, clock):
    made = schedule(missed=Missed.ALL, overlap=Overlap.ALLOW)
    clock.tick()
    with wall.tenant([made.department_id]):
        Schedule.objects.filter(pk=made.pk).update(paused_at=NOON + 150 * MINUTE, paused_reason="Paused by Bob.")
    clock.tick(4 * HOUR)

    assert outcomes(made) == ["ran", "paused", "paused", "paused", "paused"]
    with wall.tenant([made.department_id]):
        messages = list(made.occurrences.order_by("planned_at").values_list("message", flat=True))
    assert "was not at work at 2026-03-02 14:00, and the schedule was paused before" in messages[2]
    assert messages[3] == "The schedule was paused."


def test_catching_up_ends_when_it_has_failed_too_often(schedule, clock, agent):
    made = schedule(missed=Missed.ALL, overlap=Overlap.ALLOW, pause_after=2)
    with wall.system("tests: the agent is archived while nothing ticks"):
        Agent.objects.filter(pk=agent.pk).update(archived_at=datetime.now(UTC))
    clock.tick(5 * HOUR)

    assert outcomes(made) == ["failed_to_start", "failed_to_start", *["paused"] * 4]
    assert again(made).failures == 2


def test_a_change_of_the_rule_loses_no_time(schedule, cast):
    """Nothing ticked for two hours, and ten seconds ago a time has come."""
    start = datetime.now(UTC) - 2 * HOUR - timedelta(seconds=10)
    made = schedule(starts_at=start, next_at=start, missed=Missed.ALL)
    with wall.tenant([made.department_id]):
        services.update_schedule(actor=cast.bob, schedule=made, values={"name": "Only another name"})
        assert not made.occurrences.exists()
        services.update_schedule(actor=cast.bob, schedule=made, values={"rule": {"kind": "daily", "at": "07:00"}})
        messages = list(made.occurrences.order_by("planned_at").values_list("message", flat=True))

    assert ledger(made) == [(start, "missed"), (start + HOUR, "missed"), (start + 2 * HOUR, "ran")]
    assert "the schedule was changed before it was caught up" in messages[0]
    assert again(made).next_at > datetime.now(UTC)


def test_after_its_end_there_is_no_time(schedule, clock):
    made = schedule(ends_at=NOON + HOUR)
    clock.every(HOUR, NOON + 5 * HOUR)
    assert (len(ledger(made)), again(made).next_at) == (2, None)


@pytest.mark.parametrize("lost", ["membership", "sight", "account"])
def test_a_run_needs_the_rights_that_the_owner_has_now(schedule, clock, cast, agent, lost, telling):
    made = schedule()
    clock.tick()
    end_runs()
    with wall.system("tests: rights are taken away"):
        if lost == "membership":
            Membership.objects.filter(user=cast.bob).delete()
        elif lost == "sight":
            Agent.objects.filter(pk=agent.pk).update(visibility="private")
        else:
            type(cast.bob).objects.filter(pk=cast.bob.pk).update(is_active=False)
    clock.tick(HOUR)

    assert outcomes(made) == ["ran", "no_right"]
    assert len(runs_of(made)) == 1
    # Of what somebody has lost the sight of, those who manage it are told.
    [(person, said)] = telling()
    assert person == (cast.bob if lost == "sight" else cast.alice)
    assert "could not start" in said


def test_what_cannot_start_is_said_and_the_next_time_comes(schedule, clock, agent):
    made = schedule(pause_after=0)
    with wall.system("tests: the agent is archived"):
        Agent.objects.filter(pk=agent.pk).update(archived_at=datetime.now(UTC))
    clock.tick()
    with wall.system("tests: and restored"):
        Agent.objects.filter(pk=agent.pk).update(archived_at=None)
    clock.tick(HOUR)

    assert outcomes(made) == ["failed_to_start", "ran"]
    with wall.tenant([made.department_id]):
        assert "is archived" in made.occurrences.order_by("planned_at")[0].message


def test_it_pauses_by_itself_after_so_many_failures_and_tells_its_owner(schedule, clock, cast, telling):
    made = schedule(pause_after=2)
    for state in (State.FAILED, State.COMPLETED, State.FAILED, State.CANCELLED, State.FAILED):
        clock.tick()
        end_runs(state)
        clock.at += HOUR
    clock.tick()

    paused = again(made)
    assert (paused.failures, paused.paused_reason) == (2, "Paused by itself: it failed 2 times in a row.")
    assert outcomes(made)[-1] == "paused"
    [(person, said)] = telling()
    assert person == cast.bob
    assert "failed" in said
    assert "Paused by itself" in said
    assert "3 times" in said


def test_rows_outlive_their_runs(schedule, clock, cast):
    made = schedule()
    clock.tick()
    [run] = runs_of(made)
    end_runs()
    clock.tick(MINUTE)
    with wall.tenant([made.department_id]):
        runs.delete_run(actor=cast.alice, run=run)
        [row] = made.occurrences.select_related("run")
    assert (row.run, row.run_uuid, row.run_state) == (None, run.uuid, "completed")


def test_a_run_that_is_deleted_while_nothing_ticks_holds_nothing_up(schedule, clock, cast):
    made = schedule(overlap=Overlap.QUEUE)
    clock.tick()
    end_runs()
    with wall.tenant([made.department_id]):
        runs.delete_run(actor=cast.alice, run=runs_of(made)[0])
    clock.tick(HOUR)
    with wall.tenant([made.department_id]):
        assert [row.run_state for row in made.occurrences.order_by("planned_at")] == ["deleted", ""]


def test_an_archived_department_starts_nothing(schedule, clock, cast):
    made = schedule()
    cast.marketing.archived_at = datetime.now(UTC)
    cast.marketing.save()
    assert clock.tick(HOUR) == 0
    assert ledger(made) == []


def test_old_rows_go(schedule):
    made, today = schedule(), datetime.now(UTC)
    with wall.tenant([made.department_id]):
        Occurrence.objects.bulk_create(
            Occurrence(
                schedule=made,
                department_id=made.department_id,
                planned_at=today - days * DAY,
                outcome=Outcome.PAUSED,
                decided_at=today,
            )
            for days in (1, 399, 401, 700)
        )
    assert worker.forget_old_occurrences() == 2
    assert [planned for planned, _ in ledger(made)] == [today - 399 * DAY, today - DAY]


@pytest.mark.django_db(transaction=True)
def test_two_schedulers_at_once_decide_each_time_once(schedule, clock):
    made = [schedule(missed=Missed.ALL, overlap=Overlap.ALLOW) for _ in range(3)]
    now = NOON + 9 * HOUR

    def look():
        try:
            worker.tick(now, seconds=60)
        finally:
            connection.close()

    threads = [threading.Thread(target=look) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    worker.tick(now, seconds=60)

    for one in made:
        assert [planned for planned, _ in ledger(one)] == [NOON + number * HOUR for number in range(10)]
        assert len(runs_of(one)) == 10
    with wall.system("tests: count"):
        assert Run.objects.count() == 30
    assert mail.outbox == []

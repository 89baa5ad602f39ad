"""Whoever is concerned is told, whatever process made it happen."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from accounts import services
from accounts.models import Membership, Role, User
from mindloom import wall
from notifications.models import Notification
from notifications.queries import told
from runs.models import Run, State
from schedules.models import Occurrence, Schedule
from tests import factories

pytestmark = pytest.mark.django_db


def test_whoever_started_a_run_is_told_how_it_ended(run, titles, cast):
    run(State.RUNNING, State.COMPLETED)
    run(State.RUNNING, State.FAILED, by=cast.carol)

    assert titles(cast.bob) == ["Scout is done"]
    assert titles(cast.carol) == ["Scout failed"]
    assert titles(cast.alice) == titles(cast.mallory) == []


@pytest.mark.parametrize("trigger", ["test", "seed", "conversation"])
def test_who_sits_in_front_of_it_is_not_told(run, titles, cast, trigger):
    run(State.RUNNING, State.FAILED, trigger=trigger)
    run(State.RUNNING, State.COMPLETED, trigger=trigger)
    run(State.RUNNING, State.CANCELLED)

    assert titles(cast.bob) == []


def test_a_run_waits_until_somebody_has_decided(run, titles, cast):
    waiting = run(State.RUNNING, State.WAITING)
    assert titles(cast.bob) == ["Scout waits for you"]

    with wall.tenant([cast.marketing.pk]):
        Run.objects.filter(pk=waiting.pk).update(state=State.RUNNING)
    assert titles(cast.bob) == []

    with wall.tenant([cast.marketing.pk]):
        Run.objects.filter(pk=waiting.pk).update(state=State.WAITING)
    assert titles(cast.bob) == ["Scout waits for you"]


def test_more_of_the_same_counts_up_while_it_is_unread(agent, cast, titles):
    with wall.tenant([cast.marketing.pk]):
        schedule = factories.schedule(agent, cast.bob)
        for hour in range(1, 4):
            _missed(schedule, hour)
        [one] = Notification.objects.filter(person=cast.bob)
        assert (one.count, told(one).text.count("03:00")) == (4, 1)  # the factory's own time, and these three
        one.read_at = one.at
        one.save()
        _missed(schedule, 4)

    assert titles(cast.bob) == ["The schedule Morning report missed a time"]


def _missed(schedule: Schedule, hour: int) -> None:
    planned = datetime(2026, 3, 2, hour, tzinfo=UTC)
    fields = {"planned_at": planned, "outcome": "missed", "message": "Nobody was there.", "decided_at": planned}
    Occurrence.objects.create(schedule=schedule, department_id=schedule.department_id, **fields)


def test_of_a_schedule_whose_owner_has_left_the_managers_are_told(agent, cast, titles):
    with wall.tenant([cast.marketing.pk]):
        schedule = factories.schedule(agent, cast.bob)
        Notification.objects.all().delete()
        Membership.objects.filter(user=cast.bob).delete()
        _missed(schedule, 1)

    assert titles(cast.bob) == []
    assert titles(cast.alice) == ["The schedule Morning report missed a time"]


def test_who_wants_to_join_is_told_to_the_managers_until_they_are_in(cast, titles):
    services.ask_to_join(actor=cast.nora, department=cast.marketing)
    zoe = User.objects.create_user("zoe@example.org", name="Zoe")
    services.ask_to_join(actor=zoe, department=cast.marketing)
    assert titles(cast.alice) == ["Zoe and 1 other wait to join Marketing"]
    assert titles(cast.mallory) == titles(cast.ada) == titles(cast.bob) == []

    with wall.tenant([cast.marketing.pk]):
        waiting = {one.user: one for one in Membership.objects.pending()}
        services.accept_member(actor=cast.alice, membership=waiting[cast.nora], role=Role.VIEWER)
        services.refuse_member(actor=cast.alice, membership=waiting[zoe])

    assert titles(cast.alice) == titles(zoe) == []
    assert titles(cast.nora) == ["You are a member of Marketing"]


def test_without_managers_the_administrators_are_told(cast, titles):
    with wall.tenant([cast.marketing.pk]):
        Membership.objects.filter(user=cast.alice).delete()
    services.ask_to_join(actor=cast.nora, department=cast.marketing)

    assert titles(cast.ada) == ["Nora waits to join Marketing"]


def test_a_new_role_is_told(cast, titles):
    with wall.tenant([cast.marketing.pk]):
        bob = Membership.objects.get(user=cast.bob)
        services.set_role(actor=cast.alice, membership=bob, role=Role.VIEWER)

    assert titles(cast.bob) == ["Your role in Marketing is viewer"]

"""Mails: at once, once a day, or never; and none of what is not theirs any more."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import Membership, User
from mindloom import wall
from notifications import services, worker
from notifications.models import Notification
from notifications.queries import unsubscribe_token
from runs.models import State
from tests.notifications.conftest import EVENING

pytestmark = pytest.mark.django_db
MORNING = EVENING + timedelta(hours=13)


def test_what_waits_is_mailed_at_once_and_only_once(run, post, cast):
    run(State.RUNNING, State.WAITING, input="The secret plan", reason_message="sk-very-secret")

    assert post() == [("Scout waits for you", cast.bob.email)]
    assert post() == post(MORNING) == []
    [sent] = mail.outbox
    assert "The secret plan" not in sent.body
    assert "sk-very-secret" not in sent.body


def test_the_daily_mail_comes_once_in_the_hour_of_the_person(run, post, cast):
    cast.bob.time_zone = "Australia/Lord_Howe"  # 18:00 UTC is 05:00 of the next day there, in March
    cast.bob.save()
    run(State.RUNNING, State.FAILED)
    run(State.RUNNING, State.FAILED)

    assert post() == post(EVENING + timedelta(minutes=119)) == []
    assert post(EVENING + timedelta(minutes=121)) == [("2 things since the last daily mail", cast.bob.email)]
    run(State.RUNNING, State.FAILED)
    assert post(EVENING + timedelta(hours=10)) == []
    assert len(post(EVENING + timedelta(hours=27))) == 1


def test_what_is_chosen_holds(run, post, cast):
    services.choose(actor=cast.bob, mail={"run_failed": "now", "run_waits": "never"}, hidden=["run_finished"])
    run(State.RUNNING, State.FAILED)
    run(State.RUNNING, State.WAITING)
    run(State.RUNNING, State.COMPLETED)

    assert post() == [("Scout failed", cast.bob.email)]
    assert post(MORNING) == []


@pytest.mark.parametrize("lost", ["membership", "account", "interest"])
def test_nobody_gets_mails_who_may_no_longer_see_it_or_has_seen_it(run, post, cast, lost):
    run(State.RUNNING, State.WAITING)
    run(State.RUNNING, State.FAILED)
    with wall.system("tests: something is lost"):
        if lost == "membership":
            Membership.objects.filter(user=cast.bob).delete()
        elif lost == "account":
            User.objects.filter(pk=cast.bob.pk).update(is_active=False)
        else:
            services.mark_read(actor=cast.bob)

    assert post() == post(MORNING) == []


def test_a_mail_server_that_is_away_delays_and_loses_nothing(run, post, cast, settings):
    working = settings.EMAIL_BACKEND
    run(State.RUNNING, State.WAITING)
    run(State.RUNNING, State.FAILED)
    settings.EMAIL_BACKEND = "tests.notifications.test_mails.Away"
    assert post() == post(EVENING + timedelta(minutes=2)) == post(MORNING) == []
    settings.EMAIL_BACKEND = working

    assert post(MORNING + timedelta(seconds=30)) == []
    assert sorted(post(MORNING + timedelta(minutes=31))) == [
        ("1 thing since the last daily mail", cast.bob.email),
        ("Scout waits for you", cast.bob.email),
    ]


def test_a_mail_that_never_goes_is_given_up(run, post, cast, settings):
    settings.EMAIL_BACKEND = "tests.notifications.test_mails.Away"
    run(State.RUNNING, State.WAITING)
    for day in range(10):
        post(EVENING + timedelta(days=day))

    with wall.tenant([cast.marketing.pk]):
        [one] = Notification.objects.filter(person=cast.bob)
    assert (one.mail, one.mail_tries) == ("failed", 7)


class Away:
    """A mail server that nobody answers."""

    def __init__(self, **_options):
        pass

    def send_messages(self, _messages):
        raise ConnectionRefusedError("nobody there")


class Picky(EmailBackend):
    """A mail server of which something goes wrong with Bob's mails, and nothing with others'."""

    def send_messages(self, messages):
        if any("bob@" in one.to[0] for one in messages):
            raise ValueError("no such header")
        return super().send_messages(messages)


def test_a_mail_that_cannot_be_made_holds_up_no_other(run, post, cast, settings):
    settings.EMAIL_BACKEND = "tests.notifications.test_mails.Picky"
    run(State.RUNNING, State.WAITING)
    run(State.RUNNING, State.WAITING, by=cast.alice)

    assert post() == [("Scout waits for you", cast.alice.email)]
    for day in range(10):
        post(EVENING + timedelta(days=day))
    with wall.tenant([cast.marketing.pk]):
        assert Notification.objects.get(person=cast.bob).mail == "failed"


def test_a_daily_mail_does_not_wait_for_those_of_other_hours(run, post, cast, monkeypatch):
    """Many whose hour has not come have something gathered, too."""
    monkeypatch.setattr(worker, "AT_ONCE", 1)
    with wall.tenant([cast.marketing.pk]):
        for number in range(12):
            early = User.objects.create_user(f"early{number}@example.org", None, name="Early")
            Membership.objects.create(user=early, department=cast.marketing, role="member", status="active")
            services.choose(actor=early, daily_hour=23)
            Notification.objects.create(
                person=early, department=cast.marketing, kind="run_failed", subject="x", at=EVENING, mail="daily"
            )
    late = User.objects.create_user("late@example.org", None, name="Late")
    with wall.tenant([cast.marketing.pk]):
        Membership.objects.create(user=late, department=cast.marketing, role="member", status="active")
    services.choose(actor=late, daily_hour=18)
    run(State.RUNNING, State.FAILED, by=late)

    with CaptureQueriesContext(connection) as queries:
        assert post() == [("1 thing since the last daily mail", "late@example.org")]
    assert len(queries) < 30


def test_a_process_that_died_while_it_sent_leaves_the_mail_due(run, post, cast, monkeypatch):
    run(State.RUNNING, State.WAITING)

    def die(_letter):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("notifications.worker._message", die)
        with pytest.raises(KeyboardInterrupt):
            post()

    assert post(EVENING + timedelta(minutes=4)) == []
    assert len(post(EVENING + timedelta(minutes=6))) == 1


def test_the_link_in_a_mail_stops_its_kind_with_one_click_and_without_signing_in(run, post, cast):
    run(State.RUNNING, State.WAITING)
    post()
    [sent] = mail.outbox
    path = re.search(r"/notifications/stop/[^\s>]+/", sent.extra_headers["List-Unsubscribe"])[0]
    stranger = Client(enforce_csrf_checks=True)

    assert "Stop these mails?" in stranger.get(path).text
    run(State.RUNNING, State.WAITING)
    assert len(post()) == 1  # looking stops nothing
    assert stranger.post(path, {"List-Unsubscribe": "One-Click"}).status_code == 200
    run(State.RUNNING, State.WAITING)
    assert post() == []


def test_the_daily_mail_can_be_stopped_as_a_whole(run, post, cast, client):
    client.post(f"/notifications/stop/{unsubscribe_token(cast.bob, 'daily')}/")
    run(State.RUNNING, State.FAILED)

    assert post(MORNING) == []


@pytest.mark.parametrize("token", ["x", "W10:1w:x", "%00"])
def test_a_link_that_is_not_whole_says_so(client, token):
    answer = client.post(f"/notifications/stop/{token}/")

    assert answer.status_code == 410
    assert "was cut off" in answer.text

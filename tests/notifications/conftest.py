"""Runs that change, and the mails that follow."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from mindloom import wall
from notifications.models import Notification
from notifications.queries import told
from notifications.worker import send_due
from runs.models import Run, State
from tests import factories

EVENING = datetime(2026, 3, 2, 18, tzinfo=UTC)


@pytest.fixture
def agent(cast):
    with wall.system("tests: an agent that people run"):
        return factories.agent(cast.alice, cast.marketing, name="Scout")


@pytest.fixture
def run(agent, cast):
    """Makes Bob's run, and lets it come into this state."""

    def make(*states, by=None, **fields):
        with wall.tenant([cast.marketing.pk]):
            made = factories.run(agent, by or cast.bob, **fields)
            for state in states:
                over = state in {State.COMPLETED, State.FAILED, State.CANCELLED}
                Run.objects.filter(pk=made.pk).update(state=state, finished_at=EVENING if over else None)
        return made

    return make


@pytest.fixture
def titles(cast):
    """What a person is told and has not read, the oldest first."""

    def read(person):
        with wall.tenant([cast.marketing.pk, cast.finance.pk]):
            found = Notification.objects.filter(person=person).unread().order_by("at", "id")
            return [told(one).title for one in found]

    return read


@pytest.fixture
def post(mailoutbox):
    """Sends what is due at this time; the subjects and receivers of the mails of this round."""

    def at(now=EVENING):
        before = len(mailoutbox)
        send_due(now=now)
        return [(one.subject, one.to[0]) for one in mailoutbox[before:]]

    return at

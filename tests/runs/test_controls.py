"""Stopping and repeating from the page: what cannot be taken back is confirmed, and which version runs again is said."""

from __future__ import annotations

import pytest

from agents import services as agents
from mindloom.engine.events import ToolCallFinished, ToolCallStarted
from runs import services
from runs.models import Guard, Run, State, append
from tests import factories

CALL = {"call_id": "c1", "tool": "send_mail", "source": ("Scout",)}


@pytest.fixture
def running(cast, in_marketing):
    run = factories.run(factories.agent(cast.alice, cast.marketing), cast.bob)
    Run.objects.filter(pk=run.pk).update(state=State.RUNNING, fence=1)
    return run


def write(run, *events):
    append(run.pk, events, guard=Guard(states=(State.RUNNING,)))


def began(effect):
    return ToolCallStarted(arguments={}, effect=effect, **CALL)


def is_being_stopped(run):
    run.refresh_from_db()
    return run.cancel_requested_at is not None


def test_while_a_tool_sends_something_stopping_is_confirmed(running, cast, client_as):
    write(running, began("sends"))
    client = client_as(cast.bob)
    answer = client.post(f"/runs/{running.uuid}/stop/")
    assert answer.status_code == 422
    assert "send_mail is at work" in answer.content.decode()
    assert not is_being_stopped(running)
    assert client.post(f"/runs/{running.uuid}/stop/", {"confirmed": "1"}).status_code == 302
    assert is_being_stopped(running)


@pytest.mark.parametrize(
    "events", [(), (began("reads"),), (began("sends"), ToolCallFinished(result="sent", duration_ms=1, **CALL))]
)
def test_what_can_be_taken_back_is_stopped_at_once(running, cast, client_as, events):
    write(running, *events)
    assert client_as(cast.bob).post(f"/runs/{running.uuid}/stop/").status_code == 302
    assert is_being_stopped(running)


def test_who_may_not_stop_it_is_not_asked_to_confirm(running, cast, client_as):
    write(running, began("sends"))
    assert client_as(cast.carol).post(f"/runs/{running.uuid}/stop/").status_code == 403


def test_a_run_of_an_older_version_can_be_repeated_with_both(cast, client_as, in_marketing):
    agent = factories.agent(cast.alice, cast.marketing)
    run = factories.run(agent, cast.bob)
    client = client_as(cast.bob)
    services.stop_run(actor=cast.bob, run=run)
    assert "With version" not in client.get(f"/runs/{run.uuid}/").content.decode()
    agents.update_draft(actor=cast.alice, agent=agent, definition=agent.draft | {"instructions": "Otherwise."})
    agents.publish_agent(actor=cast.alice, agent=agent)
    page = client.get(f"/runs/{run.uuid}/").content.decode()
    assert "With version 2" in page
    assert "Retry" in page
    again = client.post(f"/runs/{run.uuid}/again/", {"version": "current"})
    made = Run.objects.get(uuid=again["Location"].split("/")[2])
    assert made.version.number == 2

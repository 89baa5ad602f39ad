"""What was shared with everyone and is no more: one's own words stay readable, and nothing new is told."""

from __future__ import annotations

import pytest

from agents.models import Agent
from audit.models import Entry
from mindloom import wall
from mindloom.engine.events import RunCompleted
from mindloom.engine.scripted import ScriptedRunner
from runs import services, worker
from runs.models import Conversation, PersonMemory, Run
from tests import factories


@pytest.fixture(autouse=True)
def _no_workers(monkeypatch):
    monkeypatch.setattr("runs.services.starting.send", lambda *_: None)
    monkeypatch.setattr(worker.steward, "watch", lambda *_: None)


@pytest.fixture
def taken_back(cast):
    """Mallory of Finance has talked with Marketing's agent, which is then shared with everyone no more."""
    with wall.tenant([cast.marketing.pk]):
        agent = factories.agent(cast.alice, cast.marketing, visibility="everyone")
    with wall.tenant([cast.finance.pk]):
        talk = services.start_conversation(actor=cast.mallory, target=agent, department_id=cast.finance.pk)
        run = services.say(actor=cast.mallory, conversation=talk, text="Numbers of Finance")
        worker.execute(run.pk, ScriptedRunner([RunCompleted(output="Yes.")]))
        memory = PersonMemory.objects.create(
            department=cast.finance, person=cast.mallory, agent=agent, facts=["Likes tea."]
        )
    with wall.tenant([cast.marketing.pk]):
        Agent.objects.filter(pk=agent.pk).update(visibility="department", name="Plans of Marketing")
    return talk, memory


def test_what_is_no_longer_shared_leaves_ones_words_readable_and_tells_nothing_new(taken_back, client_as, cast):
    talk, _ = taken_back
    client = client_as(cast.mallory)
    for path in ("/conversations/", f"/conversations/{talk.uuid}/", "/memories/"):
        page = client.get(path)
        assert (path, page.status_code) == (path, 200)
        assert "Plans of Marketing" not in page.text
    assert "Numbers of Finance" in client.get(f"/conversations/{talk.uuid}/").text


@pytest.mark.parametrize("path", ["/runs/", "/"])
def test_lists_name_what_is_no_longer_shared_as_it_was_called_then(taken_back, client_as, cast, path):
    with wall.system("tests: look"):
        [run] = Run.objects.all()
    page = client_as(cast.mallory).get(path)
    assert run.target_name
    assert page.text.count(f">{run.target_name}</a>") == 1
    assert "Plans of Marketing" not in page.text


def test_what_is_no_longer_shared_is_not_talked_with(taken_back, client_as, cast):
    talk, _ = taken_back
    page = client_as(cast.mallory).post(f"/conversations/{talk.uuid}/", {"input": "More"})
    assert page.status_code == 422
    assert "no longer shared with you" in page.text


def test_what_is_no_longer_shared_can_be_made_to_forget(taken_back, client_as, cast):
    talk, memory = taken_back
    client = client_as(cast.mallory)
    assert client.post(f"/memories/{memory.uuid}/forget/").status_code == 302
    assert client.post(f"/conversations/{talk.uuid}/delete/").status_code == 302
    with wall.system("tests: look"):
        assert not PersonMemory.objects.exists()
        assert not Conversation.objects.exists()


def test_that_one_had_a_shared_agent_forget_is_written_down_where_one_works(taken_back, client_as, cast):
    talk, memory = taken_back
    with wall.system("tests: share again"):
        Agent.objects.filter(pk=talk.agent_id).update(visibility="everyone")
    client_as(cast.mallory).post(f"/memories/{memory.uuid}/forget/")
    with wall.system("tests: look"):
        assert Entry.objects.get(action="memory.erased").department_id == cast.finance.pk

"""What agents remember of a person is theirs to see and to have forgotten."""

from __future__ import annotations

import pytest

from mindloom import wall
from runs.models import PersonMemory
from tests import factories


@pytest.fixture
def memory(cast):
    with wall.tenant([cast.marketing.pk]):
        agent = factories.agent(cast.alice, cast.marketing, name="Scout")
        return PersonMemory.objects.create(
            department=cast.marketing, person=cast.bob, agent=agent, facts=["Likes <b>tea</b>."]
        )


def test_the_person_sees_it_as_text(client_as, cast, memory):
    page = client_as(cast.bob).get("/memories/").text
    assert "Likes &lt;b&gt;tea&lt;/b&gt;." in page
    assert "Scout" in page


@pytest.mark.parametrize("person", ["alice", "carol", "mallory", "ada"])
def test_nobody_else_does(client_as, cast, memory, person):
    assert "Likes" not in client_as(getattr(cast, person)).get("/memories/").text


def test_forgetting_leaves_nothing(client_as, cast, memory):
    answer = client_as(cast.bob).post(f"/memories/{memory.uuid}/forget/", follow=True)
    assert "Scout has forgotten what it knew of you." in answer.text
    with wall.system("tests: look"):
        assert not PersonMemory.objects.exists()


def test_the_manager_cannot_make_an_agent_forget_others(client_as, cast, memory):
    assert client_as(cast.alice).post(f"/memories/{memory.uuid}/forget/").status_code == 404

"""Agents that are shared with everyone, and agents that change hands."""

from __future__ import annotations

import pytest
from django.db import connection
from django.db.utils import DatabaseError

from accounts.models import Membership, Role
from agents import services
from agents.models import Agent, AgentVersion
from agents.queries import heirs
from agents.specs import agent_spec
from audit.models import Entry
from mindloom import wall
from mindloom.web.errors import Invalid, NotAllowed, NotFound

pytestmark = pytest.mark.django_db


@pytest.fixture
def in_finance(cast):
    with wall.tenant([cast.finance.pk]):
        yield cast.finance


@pytest.fixture
def shared(cast, published):
    """Marketing's agent, shared with everyone, with a draft that goes on and an unshared one beside it."""
    with wall.tenant([cast.marketing.pk]):
        services.create_agent(actor=cast.bob, department_id=cast.marketing.pk, name="Ours alone")
        services.update_draft(actor=cast.bob, agent=published, definition={"instructions": "A secret plan"})
        services.publish_agent(actor=cast.bob, agent=published)
        services.update_draft(
            actor=cast.bob, agent=published, definition={"instructions": "Next"}, visibility="everyone"
        )
        published.refresh_from_db()
    return published


def raw(sql, *values):
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchall() if cursor.description else cursor.rowcount


def test_finance_sees_marketings_shared_agent_and_its_published_version_alone(cast, shared, in_finance):
    assert raw("SELECT name FROM agents_agent") == [("Digest",)]
    assert raw("SELECT number FROM agents_agentversion") == [(2,)]
    assert [agent.name for agent in Agent.objects.visible_to(cast.mallory)] == ["Digest"]


def test_outside_any_scope_there_is_nothing(shared):
    assert raw("SELECT 1 FROM agents_agent") == []
    assert raw("SELECT 1 FROM agents_agentversion") == []


def test_a_scope_without_departments_is_no_scope(shared):
    with wall.tenant([]):
        assert raw("SELECT 1 FROM agents_agent") == []
        assert raw("SELECT 1 FROM agents_agentversion") == []


def test_people_without_a_department_see_nothing_shared(cast, shared, seeing_all):
    assert not Agent.objects.visible_to(cast.nora).exists()
    assert not Agent.objects.runnable_by(cast.nora).exists()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE agents_agent SET name = 'Mine'",
        "DELETE FROM agents_agent",
        "DELETE FROM agents_agentversion",
        "UPDATE agents_agentversion SET note = 'Mine'",
    ],
)
def test_what_is_shared_is_not_written_from_outside(shared, in_finance, statement):
    assert raw(statement) == 0


def test_it_cannot_be_taken_over_by_a_change_of_department(cast, shared, in_finance):
    try:
        assert raw("UPDATE agents_agent SET department_id = %s", cast.finance.pk) == 0
    except DatabaseError:
        pass


@pytest.mark.parametrize("change", [{"visibility": "department"}, {"visibility": "private"}])
def test_it_is_gone_for_others_when_it_is_shared_no_more(cast, shared, change):
    with wall.tenant([cast.marketing.pk]):
        services.update_draft(actor=cast.bob, agent=shared, **change)
    with wall.tenant([cast.finance.pk]):
        assert raw("SELECT 1 FROM agents_agent") == []


def test_it_is_gone_for_others_when_it_is_archived(cast, shared):
    with wall.tenant([cast.marketing.pk]):
        services.archive_agent(actor=cast.bob, agent=shared)
    with wall.tenant([cast.finance.pk]):
        assert raw("SELECT 1 FROM agents_agent") == []


def test_a_draft_is_never_shared(cast, in_marketing, agent):
    services.update_draft(actor=cast.bob, agent=agent, visibility="everyone")
    with wall.tenant([cast.finance.pk]):
        assert not Agent.objects.visible_to(cast.mallory).exists()


def test_others_may_run_it_but_not_change_it(cast, shared, in_finance):
    assert list(Agent.objects.runnable_by(cast.mallory)) == [shared]
    assert not Agent.objects.editable_by(cast.mallory).exists()
    with pytest.raises(NotAllowed):
        services.update_draft(actor=cast.mallory, agent=shared, name="Mine")
    with pytest.raises(NotAllowed):
        services.transfer_agent(actor=cast.mallory, agent=shared, to=cast.mallory)


def test_a_viewer_sees_it_and_runs_nothing(cast, shared, seeing_all):
    assert Agent.objects.visible_to(cast.carol).filter(pk=shared.pk).exists()
    assert not Agent.objects.runnable_by(cast.carol).exists()


def test_members_run_the_agents_of_their_department_that_are_published(cast, in_marketing, agent):
    assert not Agent.objects.runnable_by(cast.bob).exists()
    services.publish_agent(actor=cast.bob, agent=agent)
    assert list(Agent.objects.runnable_by(cast.bob)) == [agent]


def test_its_spec_is_made_for_the_runners_department(cast, shared, in_finance):
    found = Agent.objects.visible_to(cast.mallory).select_related("published").get()
    assert agent_spec(found, found.published, department_id=cast.finance.pk).version == 2


def test_a_copy_in_another_department_is_of_what_is_published(cast, shared, in_finance):
    copy = services.duplicate_agent(actor=cast.mallory, agent=shared, department_id=cast.finance.pk)
    assert (copy.department, copy.owner, copy.visibility) == (cast.finance, cast.mallory, "department")
    assert copy.draft["instructions"] == "A secret plan"


def test_an_agent_is_handed_over_to_a_member(cast, in_marketing, agent, seeing_all):
    services.transfer_agent(actor=cast.bob, agent=agent, to=cast.alice)
    agent.refresh_from_db()
    assert agent.owner == cast.alice
    entry = Entry.objects.of("agent", str(agent.uuid)).first()
    assert (entry.action, entry.data) == ("agent.transferred", {"to": cast.alice.email})


def test_an_agent_is_not_handed_to_people_who_could_not_work_on_it(cast, in_marketing, agent):
    for person in (cast.carol, cast.mallory, cast.nora):
        with pytest.raises(Invalid) as caught:
            services.transfer_agent(actor=cast.bob, agent=agent, to=person)
        assert "owner" in caught.value.fields


def test_heirs_are_members_and_managers_of_the_department(cast, in_marketing, agent):
    dora = type(cast.bob).objects.create_user("dora@example.org", name="Dora")
    Membership.objects.create(user=dora, department=cast.marketing, role=Role.MEMBER, status=Membership.Status.PENDING)
    assert heirs(agent) == [cast.alice, cast.bob]


def test_an_earlier_version_becomes_the_draft_again(cast, in_marketing, published):
    services.update_draft(actor=cast.bob, agent=published, definition={"instructions": "New"})
    services.publish_agent(actor=cast.bob, agent=published)
    back = services.restore_version(actor=cast.bob, agent=published, number=1)
    assert back.draft == AgentVersion.objects.get(agent=published, number=1).definition
    assert back.published.number == 2
    with pytest.raises(NotFound):
        services.restore_version(actor=cast.bob, agent=published, number=9)

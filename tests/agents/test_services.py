"""What can be done with agents, and by whom."""

from __future__ import annotations

import threading

import pytest
from django.db import connection, transaction
from django.db.utils import DatabaseError

from agents import services
from agents.models import Agent, AgentVersion
from agents.specs import agent_spec
from audit.models import Entry
from integrations.models import Model
from mindloom import wall
from mindloom.web.errors import Conflict, Invalid, NotAllowed

pytestmark = pytest.mark.django_db


def test_a_member_makes_an_agent_that_is_theirs(cast, agent):
    assert agent.owner == cast.bob
    assert agent.draft["tools"] == [{"key": "calculator", "config": {}, "connection": None, "ask_first": False}]


def test_a_viewer_and_a_stranger_may_not_make_agents(cast, in_marketing):
    for person in (cast.carol, cast.mallory, cast.nora):
        with pytest.raises(NotAllowed):
            services.create_agent(actor=person, department_id=cast.marketing.pk, name="Mine")


def test_a_template_gives_the_draft_and_the_looks(cast, in_marketing, models):
    made = services.create_agent(
        actor=cast.bob, department_id=cast.marketing.pk, name="Brief", template="campaign-brief"
    )
    assert made.icon == "megaphone"
    assert "{{ audience }}" in made.draft["instructions"]
    services.publish_agent(actor=cast.bob, agent=made)


@pytest.mark.parametrize("name", ["", "   ", "x" * 81, "a\x00b", "\ud800"])
def test_a_name_that_cannot_be_kept_is_refused_at_its_field(cast, in_marketing, name):
    with pytest.raises(Invalid) as caught:
        services.create_agent(actor=cast.bob, department_id=cast.marketing.pk, name=name)
    assert "name" in caught.value.fields


@pytest.mark.parametrize("field", ["icon", "visibility"])
def test_looks_and_visibility_are_chosen_from_lists(cast, in_marketing, field):
    with pytest.raises(Invalid) as caught:
        services.create_agent(actor=cast.bob, department_id=cast.marketing.pk, name="A", **{field: "<script>"})
    assert field in caught.value.fields


def test_a_name_is_used_once_in_a_department(cast, in_marketing, agent):
    with pytest.raises(Invalid, match="already an agent called"):
        services.create_agent(actor=cast.alice, department_id=cast.marketing.pk, name="Digest")


def test_two_departments_may_use_the_same_name(cast, agent):
    with wall.tenant([cast.finance.pk]):
        services.create_agent(actor=cast.mallory, department_id=cast.finance.pk, name="Digest")


def test_a_draft_that_changed_meanwhile_is_not_overwritten(cast, in_marketing, agent):
    seen = agent.draft_digest
    services.update_draft(actor=cast.alice, agent=agent, definition={"instructions": "Alice's"}, draft_digest=seen)
    with pytest.raises(Conflict):
        services.update_draft(actor=cast.bob, agent=agent, definition={"instructions": "Bob's"}, draft_digest=seen)
    agent.refresh_from_db()
    assert agent.draft["instructions"] == "Alice's"


def test_saving_the_same_draft_again_is_no_conflict(cast, in_marketing, agent):
    kept = services.update_draft(
        actor=cast.bob, agent=agent, definition={"instructions": "New"}, draft_digest=agent.draft_digest
    )
    services.update_draft(
        actor=cast.bob, agent=agent, definition={"instructions": "New"}, draft_digest=agent.draft_digest
    )
    assert kept.draft["instructions"] == "New"


def test_a_draft_keeps_its_identity_and_notes_what_changed(cast, in_marketing, agent, seeing_all):
    services.update_draft(actor=cast.bob, agent=agent, name="Weekly digest", definition=agent.draft)
    entry = Entry.objects.of("agent", str(agent.uuid)).first()
    assert (entry.action, entry.data) == (
        "agent.edited",
        {"before": {"name": "Digest"}, "after": {"name": "Weekly digest"}},
    )


def test_another_member_may_not_change_it_but_a_manager_may(cast, in_marketing, agent):
    services.update_draft(actor=cast.alice, agent=agent, description="Ours")
    for person in (cast.carol, cast.mallory):
        with pytest.raises(NotAllowed):
            services.update_draft(actor=person, agent=agent, description="Mine")


def test_publishing_numbers_the_versions(cast, in_marketing, published):
    services.update_draft(actor=cast.bob, agent=published, definition={**published.draft, "markdown": False})
    second = services.publish_agent(actor=cast.bob, agent=published)
    assert second.number == 2
    assert published.published == second


def test_nothing_new_is_not_published(cast, in_marketing, published):
    with pytest.raises(Conflict, match="Nothing has changed since v1"):
        services.publish_agent(actor=cast.bob, agent=published)


def test_a_draft_that_is_not_ready_is_not_published_and_says_why(cast, in_marketing, agent):
    services.update_draft(actor=cast.bob, agent=agent, definition={"instructions": "About {{ nothing }}"})
    with pytest.raises(Invalid) as caught:
        services.publish_agent(actor=cast.bob, agent=agent)
    assert "nothing" in caught.value.fields["instructions"][0]


def test_a_model_that_is_switched_off_keeps_a_draft_from_being_published(cast, in_marketing, agent):
    Model.objects.update(is_enabled=False)
    with pytest.raises(Invalid) as caught:
        services.publish_agent(actor=cast.bob, agent=agent)
    assert "model" in caught.value.fields


def test_a_version_never_changes(cast, in_marketing, published):
    with pytest.raises(DatabaseError, match="never changes"), transaction.atomic():
        AgentVersion.objects.filter(agent=published).update(note="Other")


def test_a_discarded_draft_is_what_was_published(cast, in_marketing, published):
    services.update_draft(actor=cast.bob, agent=published, definition={"instructions": "Wrong turn"})
    back = services.discard_draft(actor=cast.bob, agent=published)
    assert back.draft == back.published.definition


def test_copies_get_names_that_are_free(cast, in_marketing, agent):
    first = services.duplicate_agent(actor=cast.alice, agent=agent)
    second = services.duplicate_agent(actor=cast.alice, agent=first)
    assert (first.name, second.name) == ("Digest (copy)", "Digest (copy 2)")
    assert first.owner == cast.alice


def test_a_viewer_may_not_copy(cast, in_marketing, agent):
    with pytest.raises(NotAllowed):
        services.duplicate_agent(actor=cast.carol, agent=agent)


def test_an_archived_agent_gives_its_name_free_and_comes_back_only_to_a_free_one(cast, in_marketing, agent):
    services.archive_agent(actor=cast.bob, agent=agent)
    services.create_agent(actor=cast.bob, department_id=cast.marketing.pk, name="Digest")
    with pytest.raises(Conflict, match="called “Digest” by now"):
        services.restore_agent(actor=cast.bob, agent=agent)


def test_an_archived_agent_is_not_changed(cast, in_marketing, agent):
    services.archive_agent(actor=cast.bob, agent=agent)
    with pytest.raises(Conflict, match="archived"):
        services.update_draft(actor=cast.bob, agent=agent, description="New")
    services.restore_agent(actor=cast.bob, agent=agent)
    services.update_draft(actor=cast.bob, agent=agent, description="New")


def test_an_agent_that_never_ran_can_be_deleted_with_its_versions(cast, in_marketing, published):
    services.delete_agent(actor=cast.bob, agent=published)
    assert not Agent.objects.filter(pk=published.pk).exists()


def test_a_private_agent_is_seen_by_its_owner_and_managers_only(cast, in_marketing, agent):
    services.update_draft(actor=cast.bob, agent=agent, visibility="private")
    seen = [person for person in (cast.alice, cast.bob, cast.carol) if Agent.objects.visible_to(person).exists()]
    assert seen == [cast.alice, cast.bob]


def test_the_spec_has_the_model_the_tools_and_the_limits(cast, in_marketing, published):
    spec = agent_spec(published, published.published)
    assert (spec.version, spec.model.kind, spec.tools[0].key) == (1, "offline", "calculator")
    assert spec.from_json(spec.to_json()) == spec
    assert agent_spec(published).version == 0


def test_a_spec_without_a_usable_model_says_so(cast, in_marketing, published):
    Model.objects.all().delete()
    with pytest.raises(Invalid, match="no default model"):
        agent_spec(published, published.published)


@pytest.mark.django_db(transaction=True)
def test_two_people_who_publish_at_once_make_one_version(cast, agent):
    outcomes = []

    def publish():
        with wall.tenant([cast.marketing.pk]):
            try:
                outcomes.append(services.publish_agent(actor=cast.bob, agent=Agent.objects.get(pk=agent.pk)).number)
            except Conflict as error:
                outcomes.append(error.code)
            finally:
                connection.close()

    threads = [threading.Thread(target=publish) for _ in range(4)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert sorted(map(str, outcomes)) == ["1", "nothing_changed", "nothing_changed", "nothing_changed"]

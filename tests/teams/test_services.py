"""What can be done with teams, and by whom; what keeps one from being published."""

from __future__ import annotations

import pytest
from django.db import connection, transaction
from django.db.utils import DatabaseError
from django.test.utils import CaptureQueriesContext

from agents import services as agents
from audit.models import Entry
from integrations.models import Model
from mindloom import wall
from mindloom.engine.spec import TeamSpec, spec_from_json
from mindloom.web.errors import Conflict, Invalid, NotAllowed, NotFound
from teams import services
from teams.models import Team, TeamVersion
from teams.specs import obstacles, team_spec

pytestmark = pytest.mark.django_db


def publishing(cast, team):
    with pytest.raises(Invalid) as caught:
        services.publish_team(actor=cast.bob, team=team)
    return caught.value.fields


def changed(cast, team, place, **member):
    """The team with one member changed."""
    members = [dict(one) for one in team.draft["members"]]
    members[place] |= member
    return services.update_draft(actor=cast.bob, team=team, definition={**team.draft, "members": members})


def test_a_member_makes_a_team_that_is_theirs(cast, team):
    assert team.owner == cast.bob
    assert [one["role"] for one in team.draft["members"]] == ["Finds the facts", "Writes"]


def test_a_type_is_enough_to_begin_with(cast, in_marketing):
    made = services.create_team(actor=cast.bob, department_id=cast.marketing.pk, name="Post room", type="route")
    assert made.draft["type"] == "route"


def test_a_viewer_and_a_stranger_may_not_make_teams(cast, in_marketing):
    for person in (cast.carol, cast.mallory, cast.nora):
        with pytest.raises(NotAllowed):
            services.create_team(actor=person, department_id=cast.marketing.pk, name="Mine")


def test_a_name_is_used_once_in_a_department(cast, in_marketing, team):
    with pytest.raises(Invalid, match="already a team called"):
        services.create_team(actor=cast.alice, department_id=cast.marketing.pk, name="Press desk")


def test_a_draft_that_changed_meanwhile_is_not_overwritten(cast, in_marketing, team):
    seen = team.draft_digest
    services.update_draft(actor=cast.alice, team=team, definition={"type": "route"}, draft_digest=seen)
    with pytest.raises(Conflict):
        services.update_draft(actor=cast.bob, team=team, definition={"type": "collaborate"}, draft_digest=seen)


def test_what_was_published_stays_as_it_was(cast, in_marketing, published):
    version = published.published
    assert (version.number, version.note) == (1, "First")
    with pytest.raises(DatabaseError, match="never changes"), transaction.atomic():
        TeamVersion.objects.filter(pk=version.pk).update(note="Other")
    with pytest.raises(Conflict, match="Nothing has changed since v1"):
        services.publish_team(actor=cast.bob, team=published)


def test_an_earlier_version_becomes_the_draft_again(cast, in_marketing, published):
    first = published.draft
    services.update_draft(actor=cast.bob, team=published, definition={**first, "type": "collaborate"})
    services.publish_team(actor=cast.bob, team=published)
    restored = services.restore_version(actor=cast.bob, team=published, number=1)
    assert restored.draft == first
    assert restored.published.number == 2
    with pytest.raises(NotFound):
        services.restore_version(actor=cast.bob, team=published, number=9)


def test_discarding_goes_back_to_what_is_published(cast, in_marketing, published):
    services.update_draft(actor=cast.bob, team=published, definition={"type": "route"})
    assert services.discard_draft(actor=cast.bob, team=published).draft["type"] == "coordinate"


def test_the_owner_hands_a_team_over(cast, in_marketing, team):
    services.transfer_team(actor=cast.bob, team=team, to=cast.alice)
    with pytest.raises(NotAllowed):
        services.update_draft(actor=cast.bob, team=team, description="Mine")
    for stranger in (cast.carol, cast.mallory):
        with pytest.raises(Invalid) as caught:
            services.transfer_team(actor=cast.alice, team=team, to=stranger)
        assert "owner" in caught.value.fields


def test_every_change_is_in_the_audit_trail(cast, in_marketing, published, seeing_all):
    copy = services.duplicate_team(actor=cast.alice, team=published)
    services.archive_team(actor=cast.alice, team=copy)
    services.restore_team(actor=cast.alice, team=copy)
    services.delete_team(actor=cast.alice, team=copy)
    of_copy = [entry.action for entry in Entry.objects.of("team", str(copy.uuid))]
    assert sorted(of_copy) == ["team.archived", "team.deleted", "team.duplicated", "team.restored"]
    assert Entry.objects.of("team", str(published.uuid)).filter(action="team.published").exists()


def test_archived_teams_are_not_changed_and_names_are_free_again(cast, in_marketing, team):
    services.archive_team(actor=cast.bob, team=team)
    with pytest.raises(Conflict, match="archived"):
        services.update_draft(actor=cast.bob, team=team, description="New")
    services.create_team(actor=cast.bob, department_id=cast.marketing.pk, name="Press desk")
    with pytest.raises(Conflict, match="called"):
        services.restore_team(actor=cast.bob, team=team)


def test_the_doors(cast, in_marketing, published, seeing_all):
    assert Team.objects.visible_to(cast.carol).count() == 1
    assert not Team.objects.runnable_by(cast.carol).exists()
    assert Team.objects.runnable_by(cast.bob).get() == published
    assert not Team.objects.visible_to(cast.mallory).exists()
    services.update_draft(actor=cast.bob, team=published, visibility="private")
    assert not Team.objects.visible_to(cast.carol).exists()
    assert Team.objects.editable_by(cast.alice).get() == published


# --- what keeps a team from being published, in words ---


def test_a_ready_team_has_no_obstacles(cast, in_marketing, team):
    assert obstacles(team.draft, team.department_id, cast.bob, team.visibility) == {}


def test_an_archived_member(cast, in_marketing, team, writer):
    agents.archive_agent(actor=cast.bob, agent=writer)
    assert publishing(cast, team)["members.1.agent"] == ["Writer is archived. Restore it, or take it out of the team."]


def test_a_member_that_was_never_published(cast, in_marketing, team, make_agent):
    loose = make_agent("Loose", published=False)
    team = changed(cast, team, 0, agent=str(loose.uuid))
    assert "never published" in publishing(cast, team)["members.0.agent"][0]


def test_a_version_that_does_not_exist(cast, in_marketing, team):
    team = changed(cast, team, 0, version=7)
    assert "has no version 7" in publishing(cast, team)["members.0.version"][0]


def test_a_member_that_is_gone(cast, in_marketing, team, researcher):
    agents.delete_agent(actor=cast.bob, agent=researcher)
    assert "gone" in publishing(cast, team)["members.0.agent"][0]


def test_an_agent_of_another_department(cast, in_marketing, team):
    with wall.tenant([cast.finance.pk]):
        foreign = agents.create_agent(
            actor=cast.mallory, department_id=cast.finance.pk, name="Ledger", definition={"instructions": "Count."}
        )
        agents.publish_agent(actor=cast.mallory, agent=foreign)
    team = changed(cast, team, 0, agent=str(foreign.uuid))
    assert "gone, or you may not see it" in publishing(cast, team)["members.0.agent"][0]


def test_a_private_agent_of_somebody_else(cast, in_marketing, team, make_agent):
    secret = make_agent("Secret", owner=cast.alice, visibility="private")
    team = changed(cast, team, 0, agent=str(secret.uuid))
    assert "may not see it" in publishing(cast, team)["members.0.agent"][0]


def test_a_private_agent_in_a_team_that_more_people_see(cast, in_marketing, team, make_agent):
    mine = make_agent("Mine", visibility="private")
    team = changed(cast, team, 0, agent=str(mine.uuid))
    assert "Mine is private, but more people see this team" in publishing(cast, team)["members.0.agent"][0]
    services.update_draft(actor=cast.bob, team=team, visibility="private")
    services.publish_team(actor=cast.bob, team=team)


def test_a_model_that_is_switched_off_is_told_for_the_leader_and_for_the_members(cast, in_marketing, team):
    Model.objects.update(is_enabled=False)
    fields = publishing(cast, team)
    assert "model" in fields
    assert fields["members.0.agent"][0].startswith("Researcher, model: ")


def test_a_required_variable_that_nothing_fills_in(cast, in_marketing, team):
    team = changed(cast, team, 1, variables={})
    assert publishing(cast, team)["members.1.variables.topic"] == [
        "Writer needs Topic. Fill in a value, or take it from a variable of the team."
    ]
    team = changed(cast, team, 1, variables={"topic": {"value": "Chairs"}})
    services.publish_team(actor=cast.bob, team=team)


def test_a_variable_that_the_member_does_not_have(cast, in_marketing, team):
    team = changed(cast, team, 0, variables={"colour": {"value": "red"}})
    assert "no variable called colour" in publishing(cast, team)["members.0.variables.colour"][0]


@pytest.mark.parametrize(
    ("ours", "theirs", "said"),
    [
        ({"kind": "boolean"}, {"kind": "text"}, "is yes or no"),
        ({"kind": "text"}, {"kind": "number"}, "takes number"),
        ({"kind": "long_text"}, {"kind": "text"}, "is long text"),
        ({"kind": "number"}, {"kind": "number"}, ""),
        ({"kind": "date"}, {"kind": "long_text"}, ""),
        (
            {"kind": "choice", "choices": ["a", "b"]},
            {"kind": "choice", "choices": ["a"]},
            "does not know these choices: b",
        ),
        ({"kind": "choice", "choices": ["a"]}, {"kind": "choice", "choices": ["a", "b"]}, ""),
        ({"kind": "text", "required": False}, {"kind": "text"}, "may stay empty"),
        ({"kind": "text", "required": False, "default": "x"}, {"kind": "text"}, ""),
    ],
)
def test_a_mapping_must_fit(cast, in_marketing, team, make_agent, ours, theirs, said):
    typed = make_agent("Typed", variables=[{"name": "topic", **theirs}])
    services.update_draft(
        actor=cast.bob, team=team, definition={**team.draft, "variables": [{"name": "subject", **ours}]}
    )
    team = Team.objects.get(pk=team.pk)
    team = changed(cast, team, 1, agent=str(typed.uuid))
    found = obstacles(team.draft, team.department_id, cast.bob).get("members.1.variables.topic", [])
    assert bool(found) == bool(said)
    assert said in "".join(found)


# --- what the engine gets ---


def test_a_spec_is_complete_and_survives_json(cast, in_marketing, published, researcher, writer):
    spec = team_spec(published, published.published, actor=cast.bob)
    assert isinstance(spec, TeamSpec)
    assert [(one.agent.name, one.agent.version, one.role) for one in spec.members] == [
        ("Researcher", 1, "Finds the facts"),
        ("Writer", 1, "Writes"),
    ]
    assert spec.members[1].mapped == {"topic": "subject"}
    assert spec.model.kind == "offline"
    assert spec_from_json(spec.to_json()) == spec


def test_a_pinned_version_stays_and_the_current_one_follows(cast, in_marketing, team, researcher, writer):
    team = changed(cast, team, 0, version=1)
    services.publish_team(actor=cast.bob, team=team)
    for agent in (researcher, writer):
        draft = {**agent.draft, "markdown": False}
        agents.update_draft(actor=cast.bob, agent=agent, definition=draft)
        agents.publish_agent(actor=cast.bob, agent=agent)
    team.refresh_from_db()
    spec = team_spec(team, team.published)
    assert [one.agent.version for one in spec.members] == [1, 2]


def test_values_are_filled_in_with_defaults(cast, in_marketing, team, make_agent):
    typed = make_agent(
        "Typed",
        variables=[
            {"name": "count", "kind": "number", "default": 3},
            {"name": "tone"},
            {"name": "due", "kind": "date"},
        ],
    )
    sources = {"tone": {"value": "calm"}, "due": {"value": "2027-01-31"}}
    team = changed(cast, team, 0, agent=str(typed.uuid), variables=sources)
    assert team_spec(team).members[0].variables == {"count": 3, "tone": "calm", "due": "2027-01-31"}


def test_a_draft_that_is_not_ready_is_no_spec(cast, in_marketing, team):
    team = changed(cast, team, 1, variables={})
    with pytest.raises(Invalid) as caught:
        team_spec(team)
    assert "members.1.variables.topic" in caught.value.fields


def test_a_runner_must_be_able_to_run_every_member(cast, in_marketing, published, researcher):
    agents.update_draft(actor=cast.bob, agent=researcher, visibility="private")
    assert team_spec(published, published.published, actor=cast.alice)
    other = cast.carol
    with pytest.raises(Invalid) as caught:
        team_spec(published, published.published, actor=other)
    assert "members.0.agent" in caught.value.fields


def test_members_are_looked_up_together(cast, in_marketing, draft, make_agent):
    def asked(definition):
        made = services.create_team(
            actor=cast.bob, department_id=cast.marketing.pk, name=str(len(definition["members"])), definition=definition
        )
        with CaptureQueriesContext(connection) as queries:
            assert obstacles(made.draft, made.department_id, cast.bob, "department") == {}
        return len(queries)

    more = [{"agent": str(make_agent(f"Helper {n}").uuid)} for n in range(3)]
    # Each member's own model is looked up, nothing else.
    assert asked({**draft, "members": [*draft["members"], *more]}) - asked(draft) <= 3

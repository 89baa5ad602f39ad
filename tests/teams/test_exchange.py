"""Teams as files: there and back again, and what is refused."""

from __future__ import annotations

import pytest
import yaml

from agents import services as agents
from mindloom.web.errors import Invalid
from teams import services
from teams.queries import difference, exported

pytestmark = pytest.mark.django_db


@pytest.fixture
def text(cast, in_marketing, published):
    return exported(cast.bob, published, published.draft)


def bring(cast, text):
    return services.import_team(actor=cast.bob, department_id=cast.marketing.pk, data=text.encode())


def refused(cast, text):
    with pytest.raises(Invalid) as caught:
        bring(cast, text)
    return caught.value.fields


def test_a_file_names_the_members_and_holds_no_secrets(text, writer):
    document = yaml.safe_load(text)
    assert document["format"] == "mindloom/team"
    assert document["definition"]["members"][1]["agent"] == {"name": "Writer", "uuid": str(writer.uuid)}
    assert document["definition"]["members"][1]["variables"] == {"topic": {"from": "subject"}}


def test_exported_deleted_and_imported_it_is_the_same(cast, published, text):
    digest = published.draft_digest
    services.delete_team(actor=cast.bob, team=published)
    made = bring(cast, text)
    assert (made.team.name, made.team.draft_digest, made.notes) == ("Press desk", digest, ())
    services.publish_team(actor=cast.bob, team=made.team)


def test_a_name_in_use_becomes_that_of_a_copy(cast, text):
    assert bring(cast, text).team.name == "Press desk (copy)"


def test_a_member_that_was_made_anew_is_found_by_its_name(cast, published, text, make_agent, writer):
    services.delete_team(actor=cast.bob, team=published)
    agents.delete_agent(actor=cast.bob, agent=writer)
    again = make_agent("Writer", "topic")
    pinned = text.replace("version: null", "version: 1")
    made = bring(cast, pinned)
    assert made.team.draft["members"][1] == {
        "agent": str(again.uuid),
        "version": None,
        "role": "Writes",
        "variables": {"topic": {"from": "subject"}},
    }
    assert made.team.draft["members"][0]["version"] == 1
    assert made.notes == ("“Writer” is another agent than the file’s, so its current version is used.",)


def test_a_member_that_is_missing_is_said(cast, published, text, writer):
    agents.archive_agent(actor=cast.bob, agent=writer)
    assert refused(cast, text) == {
        "definition.members.1.agent": [
            "There is no agent “Writer” here that you may run. Import and publish it first, or take it out of the file."
        ]
    }


def test_people_of_other_departments_find_only_their_own_agents(cast, published, text):
    with pytest.raises(Invalid) as caught:
        services.import_team(actor=cast.mallory, department_id=cast.finance.pk, data=text.encode())
    assert {"definition.members.0.agent", "definition.members.1.agent"} <= set(caught.value.fields)


def broken(text, **changes):
    document = yaml.safe_load(text)
    for path, value in changes.items():
        *parents, last = path.split("__")
        place = document
        for parent in parents:
            place = place[int(parent) if parent.isdigit() else parent]
        place[int(last) if last.isdigit() else last] = value
    return yaml.safe_dump(document)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"format": "mindloom/agent"}, "format"),
        ({"format": "other"}, "format"),
        ({"format_version": 2}, "format_version"),
        ({"format_version": "1"}, "format_version"),
        ({"colour": "red"}, "colour"),
        ({"name": ""}, "name"),
        ({"name": 7}, "name"),
        ({"icon": "rocket<script>"}, "icon"),
        ({"digest": "x"}, "digest"),
        ({"definition": []}, "definition"),
        ({"definition__type": "swarm"}, "definition.type"),
        ({"definition__tools": []}, "definition.tools"),
        ({"definition__limits__seconds": 0}, "definition.limits.seconds"),
        ({"definition__model": "gpt"}, "definition.model"),
        ({"definition__members": "all"}, "definition.members"),
        ({"definition__members__0": "Writer"}, "definition.members.0"),
        ({"definition__members__0__agent": None}, "definition.members.0.agent"),
        ({"definition__members__0__agent": "Writer"}, "definition.members.0.agent"),
        ({"definition__members__0__agent__colour": 1}, "definition.members.0.agent.colour"),
        ({"definition__members__0__version": -1}, "definition.members.0.version"),
        ({"definition__members__0__role": "x" * 301}, "definition.members.0.role"),
        ({"definition__members__0__variables": [1]}, "definition.members.0.variables"),
        ({"definition__variables": [{"name": "Bad Name"}]}, "definition.variables.0.name"),
    ],
)
def test_a_broken_file_is_refused_with_the_place(cast, text, changes, field):
    assert field in refused(cast, broken(text, **changes))


@pytest.mark.parametrize(
    "text_", ["", "[", "a: &x 1\nb: *x", "- 1", "!!python/object:os.system {}", "a: 1\na: 2", "\x00"]
)
def test_what_is_no_file_of_ours_is_refused_with_a_sentence(cast, in_marketing, text_):
    assert refused(cast, text_)


def test_changes_are_told_in_sentences(cast, in_marketing, published, researcher, writer, make_agent):
    checker = make_agent("Checker")
    before = published.draft
    after = {
        **before,
        "type": "collaborate",
        "instructions": before["instructions"] + " Be brief.",
        "members": [
            {**before["members"][1], "version": 1, "role": "Edits", "variables": {"topic": {"value": "Chairs"}}},
            {"agent": str(checker.uuid), "version": None, "role": "Checks", "variables": {}},
        ],
    }
    told = difference(cast.bob, before, after).changes
    assert told[:7] == [
        "Type: Coordinate → Collaborate.",
        "Checker joined as “Checks”.",
        "Researcher left.",
        "Writer: always the current version → v1.",
        "Writer: its role is now “Edits”.",
        "Writer: topic comes from “Chairs”, not from the team’s subject.",
        "Instructions: one sentence added.",
    ]
    assert difference(cast.bob, before, before).changes == []
    turned = {**before, "members": list(reversed(before["members"]))}
    assert difference(cast.bob, before, turned).changes == ["The members stand in another order: Writer, Researcher."]

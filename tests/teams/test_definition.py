"""What a team may be made of, and what is said about it."""

from __future__ import annotations

from uuid import uuid4

import pytest

from mindloom.web.errors import Invalid
from teams.definition import TYPES, blank, check, problems, said

ONE, TWO = str(uuid4()), str(uuid4())
GOOD = {
    "instructions": "Work on {{ subject }}.",
    "variables": [{"name": "subject"}],
    "members": [{"agent": ONE}, {"agent": TWO, "variables": {"topic": {"from": "subject"}}}],
}


def refused(definition, **options):
    with pytest.raises(Invalid) as caught:
        check(definition, **options)
    return caught.value.fields


def test_a_definition_gets_its_defaults():
    normal = check(GOOD)
    assert normal["type"] == "coordinate"
    assert normal["members"][0] == {"agent": ONE, "version": None, "role": "", "variables": {}}
    assert normal["memory"]["storage"] == "none"


def test_checking_twice_changes_nothing():
    assert check(check(GOOD)) == check(GOOD)


def test_the_order_of_the_members_stays():
    turned = GOOD | {"members": list(reversed(GOOD["members"]))}
    assert [one["agent"] for one in check(turned)["members"]] == [TWO, ONE]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"type": "swarm"}, "type"),
        ({"tools": []}, "tools"),
        ({"instructions": ""}, "instructions"),
        ({"instructions": "{{ other }}"}, "instructions"),
        ({"members": []}, "members"),
        ({"members": [{"agent": ONE}]}, "members"),
        ({"members": [{"agent": str(uuid4())} for _ in range(6)]}, "members"),
        ({"members": "all"}, "members"),
        ({"members": [{"agent": ONE}, {"agent": ONE}]}, "members.1.agent"),
        ({"members": [{"agent": ONE}, {}]}, "members.1.agent"),
        ({"members": [{"agent": ONE}, {"agent": "Writer"}]}, "members.1.agent"),
        ({"members": [{"agent": ONE}, {"agent": TWO, "version": 0}]}, "members.1.version"),
        ({"members": [{"agent": ONE}, {"agent": TWO, "version": "new"}]}, "members.1.version"),
        ({"members": [{"agent": ONE}, {"agent": TWO, "role": "x" * 301}]}, "members.1.role"),
        ({"members": [{"agent": ONE}, {"agent": TWO, "salary": 1}]}, "members.1.salary"),
        ({"members": [{"agent": ONE}, {"agent": TWO, "variables": []}]}, "members.1.variables"),
        ({"members": [{"agent": ONE}, {"agent": TWO, "variables": {"topic": "Cats"}}]}, "members.1.variables.topic"),
        (
            {"members": [{"agent": ONE}, {"agent": TWO, "variables": {"topic": {"from": "no_such"}}}]},
            "members.1.variables.topic",
        ),
        (
            {"members": [{"agent": ONE}, {"agent": TWO, "variables": {"topic": {"from": "subject", "value": 1}}}]},
            "members.1.variables.topic",
        ),
        (
            {"members": [{"agent": ONE}, {"agent": TWO, "variables": {"topic": {"value": [1]}}}]},
            "members.1.variables.topic",
        ),
        (
            {"members": [{"agent": ONE}, {"agent": TWO, "variables": {"topic": {"value": "a\x00"}}}]},
            "members.1.variables.topic",
        ),
        ({"memory": {"storage": "none", "person": True}}, "memory.person"),
        ({"limits": {"seconds": "soon"}}, "limits.seconds"),
    ],
)
def test_what_does_not_fit_is_named_by_its_path(change, field):
    assert field in refused(GOOD | change)


def test_the_most_members_are_a_setting(settings):
    settings.TEAM_MAX_MEMBERS = 7
    assert len(check(GOOD | {"members": [{"agent": str(uuid4())} for _ in range(7)]})["members"]) == 7
    assert "7 are the most" in refused(GOOD | {"members": [{"agent": str(uuid4())} for _ in range(8)]})["members"][0]


def test_a_draft_may_be_incomplete():
    assert check({"members": [{"agent": ONE}]}, complete=False)["members"][0]["agent"] == ONE
    assert {"members", "instructions"} <= set(problems(blank()))


def test_blank_values_are_no_values():
    members = [{"agent": ONE}, {"agent": TWO, "variables": {"topic": {"value": ""}, "tone": {"from": ""}}}]
    assert check(GOOD | {"members": members})["members"][1]["variables"] == {}


@pytest.mark.parametrize("kind", TYPES, ids=lambda one: one.key)
def test_a_team_is_said_in_one_sentence(kind):
    sentence = said(kind.key, ["Researcher", "Writer", "Checker"])
    assert sentence.startswith(f"{kind.name}: ")
    assert "Researcher, Writer" in sentence
    assert sentence.count(".") == 1
    assert "two" in said(kind.key, [])

"""The Offline model as a team's leader: whom it asks, and what it makes of the answers."""

from __future__ import annotations

import pytest

from mindloom.engine.extractive import leading
from mindloom.engine.extractive.asking import Request
from mindloom.engine.extractive.writing import CLOSING
from mindloom.engine.spec import AgentSpec, MemberSpec, ModelSpec, TeamSpec
from tests.engine.helpers import of, play

OFFLINE = ModelSpec(kind="offline", model="offline", parameters={"pace_ms": 0})
NOTES = (
    "List the open invoices and deadlines.\n\nInvoice 12 of Acme is open. It is due on 3 December. The party was nice."
)


def team(kind):
    members = (("Party planner", "Plans parties"), ("Invoice checker", "Finds invoices and deadlines"))
    return TeamSpec(
        name="Desk",
        uuid="t",
        version=1,
        type=kind,
        model=OFFLINE,
        members=tuple(
            MemberSpec(agent=AgentSpec(name=name, uuid="a", version=1, model=OFFLINE), role=role)
            for name, role in members
        ),
    )


def test_a_route_goes_to_the_member_whose_role_fits_the_words():
    events = play(team("route"), NOTES)
    assert [one.member for one in of(events, "member.started")] == ["Invoice checker"]
    assert "3 December" in events[-1].output
    assert events[-1].output.count(CLOSING) == 1


@pytest.mark.parametrize("kind", ["coordinate", "collaborate"])
def test_everybody_is_asked_and_heard_under_their_name(kind):
    events = play(team(kind), NOTES)
    assert {one.member for one in of(events, "member.finished")} == {"Party planner", "Invoice checker"}
    output = events[-1].output
    assert output.index("## Party planner") < output.index("## Invoice checker")
    assert output.count(CLOSING) == 1


def test_without_a_team_there_is_nobody_to_ask():
    assert leading.calls(Request("Write a text.", "About tea"), []) == []
    assert leading.answer(Request("Write a text.", "About tea"), []) == ""

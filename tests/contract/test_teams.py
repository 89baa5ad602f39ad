"""Teams, with the real Agno and a fake provider over HTTP: who is asked, who did what, what it cost, and what fails."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from mindloom.engine.spec import Limits, MemberSpec, OutputSpec, TeamSpec
from tests.contract.test_answers import adder, call
from tests.engine.helpers import LentPorts, agent_spec, cancel_later, events_of, keeps_the_promises, of, start

MADE = itertools.count(1)
WAIT_MS = 600
"""Between the two pieces of a slow member's answer."""


def delegate(member, task="Do it"):
    return {"name": "delegate_task_to_member", "arguments": {"member_id": member, "task": task}}


def all_members(task="Do it"):
    return {"name": "delegate_task_to_members", "arguments": {"task": task}}


@pytest.fixture
def team(model):
    """A team whose leader and members are scripted: `team("route", [leader turns], Writer=[turns], …)`."""

    def make(kind, leader, *, limits=None, output=None, **members):
        number = next(MADE)
        specs = [
            MemberSpec(
                agent=replace(agent_spec(model(f"{kind}-{number}-{name}", *turns)), name=name), role=f"{name}s well"
            )
            for name, turns in members.items()
        ]
        return TeamSpec(
            name="Desk",
            uuid="t",
            version=1,
            type=kind,
            model=model(f"{kind}-{number}-leader", *leader),
            members=tuple(specs),
            instructions="Work together.",
            limits=limits or Limits(),
            output=output,
        )

    return make


def play_team(spec, text="What now?", ports=None, **options):
    events = events_of(start(spec, text, ports, **options))
    keeps_the_promises(events)
    return events


def spent(events, source=None):
    calls = [one for one in of(events, "model.called") if source is None or one.source == source]
    return sum((one.tokens_in or 0) + (one.tokens_out or 0) for one in calls)


def test_route_hands_over_and_shows_the_members_answer_once(fake, team):
    spec = team(
        "route", [{"tool_calls": [delegate("writer")]}], Writer=[{"text": "The answer."}], Planner=[{"text": "No."}]
    )
    events = play_team(spec)
    assert events[-1].output == "The answer."
    assert [one.text for one in of(events, "content.completed")] == ["The answer."]
    assert of(events, "content.completed")[0].source == ("Desk", "Writer")
    assert len(fake.bodies(spec.model.model)) == 1, "the leader is not asked again"
    assert not fake.bodies(spec.members[1].agent.model.model)


def test_a_leader_that_routes_nowhere_answers_itself(team):
    spec = team("route", [{"text": "Hello yourself."}], Writer=[{"text": "x"}], Planner=[{"text": "y"}])
    assert play_team(spec)[-1].output == "Hello yourself."


def test_coordinate_gives_out_parts_and_writes_the_answer(fake, team):
    leader = [
        {"tool_calls": [delegate("planner", "Plan")]},
        {"tool_calls": [delegate("writer", "Write")]},
        {"text": "Both."},
    ]
    spec = team("coordinate", leader, Planner=[{"text": "A plan."}], Writer=[{"text": "A text."}])
    events = play_team(spec)
    assert events[-1].output == "Both."
    assert [(one.member, one.task) for one in of(events, "member.started")] == [
        ("Planner", "Plan"),
        ("Writer", "Write"),
    ]
    told = [m["content"] for m in fake.bodies(spec.model.model)[-1]["messages"] if m["role"] == "tool"]
    assert told == ["A plan.", "A text."]


def test_collaborate_asks_all_at_the_same_time(fake, team):
    slow = {"text": ["One ", "thought."], "pace_ms": WAIT_MS}
    spec = team("collaborate", [{"tool_calls": [all_members()]}, {"text": "Together."}], Planner=[slow], Writer=[slow])
    events = play_team(spec)
    starts = {one.member: one.at for one in of(events, "member.started")}
    ends = {one.member: one.at for one in of(events, "member.finished")}
    assert max(starts.values()) < min(ends.values()), "both are at work at the same moment"
    assert events[-1].output == "Together."
    told = [m["content"] for m in fake.bodies(spec.model.model)[-1]["messages"] if m["role"] == "tool"]
    assert told == ["Planner: One thought.\n\nWriter: One thought."]


def test_every_event_says_whose_it_is_and_the_parts_sum_up_to_the_whole(team):
    leader = [{"tool_calls": [delegate("planner"), delegate("writer")]}, {"text": "Both."}]
    spec = team("coordinate", leader, Planner=[{"text": "A plan."}], Writer=[{"text": "A text of four."}])
    events = play_team(spec)
    sources = {one.source for one in events}
    assert sources == {("Desk",), ("Desk", "Planner"), ("Desk", "Writer")}
    assert sum(spent(events, source) for source in sources) == spent(events) > 0
    assert {one.source for one in of(events, "model.called")} == sources


def test_a_members_tools_are_its_own(team):
    calls = []
    leader = [{"tool_calls": [delegate("adder")]}, {"text": "Five."}]
    spec = team("coordinate", leader, Adder=[{"tool_calls": [call(a=2, b=3)]}, {"text": "5"}], Writer=[{"text": "x"}])
    events = play_team(spec, ports=LentPorts(adder(calls)))
    assert calls == [{"a": 2, "b": 3}]
    assert of(events, "tool_call.finished")[0].source == ("Desk", "Adder")
    assert [one.tool for one in of(events, "tool_call.started")] == ["add"], "giving out tasks is no tool call"


def test_a_failing_member_is_seen_by_the_leader_in_the_log_and_in_the_result(fake, team):
    leader = [{"tool_calls": [all_members()]}, {"text": "All went well."}]
    spec = team(
        "collaborate", leader, Planner=[{"text": "A plan."}], Writer=[{"status": 401, "error": {"message": "no"}}]
    )
    events = play_team(spec)
    (failed,) = [one for one in of(events, "member.finished") if one.error]
    assert (failed.member, failed.source) == ("Writer", ("Desk", "Writer"))
    assert "refused the key" in failed.error
    told = next(m["content"] for m in fake.bodies(spec.model.model)[-1]["messages"] if m["role"] == "tool")
    assert told.startswith("Planner: A plan.\n\nWriter: failed: ")
    assert events[-1].warnings[0].startswith("Writer failed, its part is missing:")
    assert events[-1].output.startswith("All went well.\n\n> **Note:** Writer failed")


def test_a_member_that_does_it_when_asked_again_is_no_failure(fake, team):
    leader = [{"tool_calls": [delegate("writer")]}, {"tool_calls": [delegate("writer")]}, {"text": "Done."}]
    spec = team("coordinate", leader, Writer=[{"text": "x"}], Planner=[{"text": "y"}])
    fake.script(
        spec.members[0].agent.model.model, [{"status": 400, "error": {"message": "no"}}, {"text": "ok"}], "request"
    )
    events = play_team(spec)
    assert [bool(one.error) for one in of(events, "member.finished")] == [True, False]
    assert events[-1].warnings == ()


def test_where_the_only_member_asked_fails_the_run_fails(team):
    spec = team(
        "route", [{"tool_calls": [delegate("writer")]}], Writer=[{"status": 401, "error": {}}], Planner=[{"text": "x"}]
    )
    last = play_team(spec)[-1]
    assert (last.type, last.kind) == ("run.failed", "agent_error")
    assert last.message.startswith("Writer, to whom the team gave the task, failed:")


def test_an_unknown_member_is_refused_with_the_names(fake, team):
    leader = [{"tool_calls": [delegate("stranger")]}, {"text": "Alone then."}]
    spec = team("coordinate", leader, Writer=[{"text": "x"}], Planner=[{"text": "y"}])
    events = play_team(spec)
    told = [m["content"] for m in fake.bodies(spec.model.model)[-1]["messages"] if m["role"] == "tool"]
    assert told == ["Error: There is no member “stranger”. Members: writer, planner."]
    assert events[-1].output == "Alone then."


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        (Limits(model_turns=2), "asked its model 2 times"),
        (Limits(tokens=5), "may use 5"),
        (Limits(seconds=1), "ended after 1 seconds"),
    ],
)
def test_limits_hold_for_leader_and_members_together(team, limits, words):
    slow = {"text": ["a ", "b "] * 20, "pace_ms": 100}
    leader = [{"tool_calls": [delegate("planner")]}, {"tool_calls": [delegate("writer")]}, {"text": "Done."}]
    spec = team("coordinate", leader, limits=limits, Planner=[slow], Writer=[slow])
    last = play_team(spec)[-1]
    assert last.type == "run.failed"
    assert words in last.message


def test_stopping_a_team_stops_its_members(team):
    slow = {"text": ["word "] * 200, "pace_ms": 50}
    spec = team("collaborate", [{"tool_calls": [all_members()]}, {"text": "x"}], Planner=[slow], Writer=[slow])
    handle = start(spec, "Go")
    cancel_later(handle, 0.5)
    events = events_of(handle)
    assert (events[-1].type, events[-1].message) == ("run.cancelled", "Stopped by Alice.")


def test_the_form_of_a_routes_answer_is_the_members(team):
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    leader = [{"tool_calls": [delegate("writer")]}]
    form = OutputSpec(name="number", schema=schema)
    spec = team("route", leader, output=form, Writer=[{"text": '{"n": 4}'}], Planner=[{"text": "x"}])
    assert play_team(spec)[-1].structured == {"n": 4}


def test_members_get_their_variables_from_the_teams(fake, model, team):
    spec = team(
        "coordinate",
        [{"tool_calls": [delegate("writer")]}, {"text": "x"}],
        Writer=[{"text": "y"}],
        Planner=[{"text": "z"}],
    )
    writer = spec.members[0].agent
    told = MemberSpec(
        agent=replace(writer, instructions="Write for {{ reader }} in {{ style }}."),
        variables={"style": "short words"},
        mapped={"reader": "audience"},
    )
    spec = replace(spec, members=(told, spec.members[1]))
    play_team(spec, variables={"audience": "children"})
    assert "Write for children in short words." in fake.bodies(writer.model.model)[0]["messages"][0]["content"]


def test_a_spec_survives_json(team):
    spec = team("route", [{"text": "x"}], Writer=[{"text": "y"}], Planner=[{"text": "z"}])
    assert TeamSpec.from_json(spec.to_json()) == spec

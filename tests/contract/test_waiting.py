"""Runs that wait for a person and go on elsewhere: what was done is not done again, what was decided is done exactly, once."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace

import pytest

from mindloom.engine.ports import ToolFunction
from mindloom.engine.runner import Decision, Resume
from mindloom.engine.spec import Limits, ToolInfo
from tests.contract.test_teams import all_members, delegate, play_team, spent, team  # noqa: F401 -- a fixture
from tests.engine.helpers import (
    LentPorts,
    agent_spec,
    events_of,
    keeps_the_promises,
    kept_of,
    of,
    start,
    text_schema,
    tool,
    types,
)

MAIL = text_schema("to", "text")


class Post(LentPorts):
    """A tool that asks first, one that does not, and what they did."""

    def __init__(self, asks="approval"):
        self.sent, self.looked = [], 0
        info = ToolInfo(name="send_mail", description="Sends a mail", parameters=MAIL, effect="sends")
        super().__init__(
            ToolFunction(info=info, call=self._send, asks=asks), tool("look", self._look, text_schema("what"))
        )

    def _send(self, arguments, context):
        self.sent.append(arguments)
        return "sent"

    def _look(self, arguments, context):
        self.looked += 1
        return f"seen {self.looked}"


def mail(to="anna@example.org", text="Hello"):
    return {"name": "send_mail", "arguments": {"to": to, "text": text}}


def look(what="the sky"):
    return {"name": "look", "arguments": {"what": what}}


def first(spec, ports, **options):
    """Run until it waits: its events, and what it goes on with, as it comes back from the database."""
    events, journal = kept_of(start(spec, "Write to Anna", ports, **options))
    keeps_the_promises(events)
    assert events[-1].type == "run.waiting", events[-1]
    return events, journal


def decided(events, approved=True, **changes):
    return {
        one.key: Decision(tool=one.tool, arguments=one.arguments, approved=approved, by="Alice", **changes)
        for one in of(events, "approval.requested")
    }


def then(spec, ports, journal, decisions, **options):
    """Go on, and return the events."""
    handle = start(spec, "Write to Anna", ports, resume=Resume(journal=journal, decisions=decisions), **options)
    events = events_of(handle)
    keeps_the_promises(events)
    return events


@pytest.fixture
def asking(model):
    """An agent that looks, then writes a mail, then says so."""
    number = iter(range(1000))

    def make(*turns):
        name = f"asking-{id(model)}-{next(number)}"
        return agent_spec(
            model(
                name,
                *(
                    turns
                    or ({"text": "Let me see.", "tool_calls": [look()]}, {"tool_calls": [mail()]}, {"text": "Done."})
                ),
            )
        )

    return make


def test_a_call_that_asks_first_is_not_made_until_somebody_agrees(asking):
    ports = Post()
    events, _ = first(asking(), ports)
    (asked,) = of(events, "approval.requested")
    assert (asked.tool, asked.arguments, asked.effect) == ("send_mail", mail()["arguments"], "sends")
    assert ports.sent == []
    assert events[-1].reason == "waiting_for_person"
    assert "send something outside" in events[-1].message


def test_it_goes_on_in_another_place_where_it_was(fake, asking):
    spec, ports = asking(), Post()
    events, journal = first(spec, ports)
    asked_before = len(fake.bodies(spec.model.model))
    after = then(spec, ports, journal, decided(events))
    assert ports.sent == [mail()["arguments"]]
    assert ports.looked == 1, "what was done is not done again"
    assert len(fake.bodies(spec.model.model)) == asked_before + 1, "what the model said is not asked again"
    assert types(after) == [
        "tool_call.started", "tool_call.finished", "content.added", "content.completed", "model.called", "run.completed",
    ]  # fmt: skip
    assert after[-1].output == "Done."


def test_the_counting_goes_on_too(asking):
    spec, ports = asking(), Post()
    events, journal = first(spec, ports)
    after = then(spec, ports, journal, decided(events))
    assert of(events, "content.completed")[-1].block == 1
    assert of(after, "content.completed")[0].block == 2
    assert [one.turn for one in of(events, "model.called") + of(after, "model.called")] == [1, 2, 3]


def test_the_model_reads_in_the_end_what_it_would_have_read_without_a_pause(fake, asking):
    paused, ports = asking(), Post()
    events, journal = first(paused, ports)
    then(paused, ports, journal, decided(events))
    straight = asking()
    events_of(start(straight, "Write to Anna", Post(asks="")))
    with_pause = fake.bodies(paused.model.model)[-1]["messages"]
    without = fake.bodies(straight.model.model)[-1]["messages"]
    assert with_pause == without


def test_what_is_declined_is_not_done_and_the_model_is_told_why(fake, asking):
    spec, ports = asking(), Post()
    events, journal = first(spec, ports)
    after = then(spec, ports, journal, decided(events, approved=False, note="Too early."))
    assert ports.sent == []
    told = fake.bodies(spec.model.model)[-1]["messages"][-1]["content"]
    assert "Alice declined this call" in told
    assert "Too early." in told
    assert after[-1].type == "run.completed"


def test_a_question_is_answered_in_words(fake, asking):
    spec, ports = asking(), Post(asks="answer")
    events, journal = first(spec, ports)
    assert of(events, "approval.requested")[0].kind == "answer"
    after = then(spec, ports, journal, decided(events, note="Write to Bert instead."))
    assert ports.sent == []
    assert of(after, "tool_call.finished")[0].result == "Write to Bert instead."


@pytest.mark.parametrize("forged", [{"arguments": {"to": "eve@example.org", "text": "Hello"}}, {"tool": "look"}])
def test_a_decision_about_another_call_does_nothing(asking, forged):
    spec, ports = asking(), Post()
    events, journal = first(spec, ports)
    decisions = {key: replace(one, **forged) for key, one in decided(events).items()}
    after = then(spec, ports, journal, decisions)
    assert (after[-1].type, after[-1].kind) == ("run.failed", "rejected")
    assert ports.sent == []


def test_a_decision_that_is_missing_is_waited_for_again(asking):
    spec, ports = asking(), Post()
    events, journal = first(spec, ports)
    again = then(spec, ports, journal, {})
    assert [one.approval for one in of(again, "approval.requested")] == [
        one.approval for one in of(events, "approval.requested")
    ]
    assert ports.sent == []


def test_two_calls_at_once_ask_together_and_are_each_made_once(asking):
    spec, ports = (
        asking({"tool_calls": [mail("a@example.org"), look(), mail("b@example.org")]}, {"text": "Done."}),
        Post(),
    )
    events, journal = first(spec, ports)
    assert len(of(events, "approval.requested")) == 2
    assert ports.looked == 1
    then(spec, ports, journal, decided(events))
    assert sorted(one["to"] for one in ports.sent) == ["a@example.org", "b@example.org"]
    assert ports.looked == 1


def test_one_question_after_the_other(asking):
    spec = asking({"tool_calls": [mail("a@example.org")]}, {"tool_calls": [mail("b@example.org")]}, {"text": "Done."})
    ports = Post()
    events, journal = first(spec, ports)
    handle = start(spec, "Write to Anna", ports, resume=Resume(journal=journal, decisions=decided(events)))
    second, more = kept_of(handle)
    assert second[-1].type == "run.waiting"
    after = then(spec, ports, journal | more, {**decided(events), **decided(second)})
    assert [one["to"] for one in ports.sent] == ["a@example.org", "b@example.org"]
    assert after[-1].output == "Done."


def test_bad_arguments_are_refused_without_asking_anybody(asking):
    spec = asking({"tool_calls": [{"name": "send_mail", "arguments": {"to": "a@example.org"}}]}, {"text": "Sorry."})
    events = events_of(start(spec, "x", Post()))
    assert not of(events, "approval.requested")
    assert events[-1].type == "run.completed"


def test_limits_count_on_after_the_pause(asking):
    spec, ports = replace(asking(), limits=Limits(model_turns=2)), Post()
    events, journal = first(spec, ports)
    after = then(spec, ports, journal, decided(events))
    assert "asked its model 2 times" in after[-1].message


def test_a_run_is_stopped_while_it_would_wait(asking):
    handle = start(asking(), "x", Post())
    handle.cancel("Stopped by Alice.")
    assert events_of(handle)[-1].type == "run.cancelled"


def test_a_member_of_a_team_asks_and_goes_on(fake, team):  # noqa: F811
    leader = [{"tool_calls": [delegate("writer", "Write to Anna")]}, {"text": "All done."}]
    spec = team(
        "coordinate",
        leader,
        Writer=[{"tool_calls": [look()]}, {"tool_calls": [mail()]}, {"text": "Sent."}],
        Planner=[{"text": "x"}],
    )
    ports = Post()
    events, journal = first(spec, ports)
    (asked,) = of(events, "approval.requested")
    assert asked.source == ("Desk", "Writer")
    after = then(spec, ports, journal, decided(events))
    assert (ports.sent, ports.looked) == ([mail()["arguments"]], 1)
    assert not of(after, "member.started"), "the member began before the pause"
    assert [one.member for one in of(after, "member.finished")] == ["Writer"]
    assert after[-1].output == "All done."
    assert len(fake.bodies(spec.model.model)) == 2


def test_while_one_member_waits_the_others_finish(team):  # noqa: F811
    slow = {"text": ["One ", "thought."], "pace_ms": 300}
    spec = team(
        "collaborate",
        [{"tool_calls": [all_members()]}, {"text": "Together."}],
        Writer=[{"tool_calls": [mail()]}, {"text": "Sent."}],
        Planner=[slow],
    )
    ports = Post()
    events, journal = first(spec, ports)
    assert [one.member for one in of(events, "member.finished")] == ["Planner"]
    after = then(spec, ports, journal, decided(events))
    assert [one.member for one in of(after, "member.finished")] == ["Writer"]
    assert after[-1].output == "Together."
    assert {one.source for one in of(after, "model.called")} == {("Desk",), ("Desk", "Writer")}


def test_a_run_goes_on_in_a_process_of_its_own(fake, asking, tmp_path):
    spec, ports = asking(), Post()
    events, journal = first(spec, ports)
    (asked,) = of(events, "approval.requested")
    given = {
        "spec": spec.to_json(),
        "journal": journal,
        "key": asked.key,
        "tool": asked.tool,
        "arguments": asked.arguments,
    }
    done = subprocess.run(
        [sys.executable, "-c", ELSEWHERE, json.dumps(given)], capture_output=True, text=True, check=True, timeout=60
    )
    told = json.loads(done.stdout)
    assert told == {"sent": [mail()["arguments"]], "looked": 0, "last": "run.completed", "output": "Done."}


ELSEWHERE = """
import json, sys
from mindloom.engine.runner import Decision, Resume
from mindloom.engine.spec import AgentSpec
from tests.contract.test_waiting import Post
from tests.engine.helpers import events_of, start
given = json.loads(sys.argv[1])
decision = Decision(tool=given["tool"], arguments=given["arguments"], approved=True, by="Alice")
ports = Post()
resume = Resume(journal=given["journal"], decisions={given["key"]: decision})
last = events_of(start(AgentSpec.from_json(given["spec"]), "Write to Anna", ports, resume=resume))[-1]
print(json.dumps({"sent": ports.sent, "looked": ports.looked, "last": last.type, "output": last.output}))
"""

"""Runs of teams, from the worker to the page: who did what, what it cost, who failed."""

from __future__ import annotations

from django.urls import reverse

from mindloom import wall
from runs import services, worker
from runs.stream import lines_of, read_after
from runs.stream.lanes import lanes_of
from tests import factories
from tests.contract.test_teams import all_members, delegate
from tests.runs.conftest import MAIL

SEND = {"tool_calls": [{"name": "send_mail", "arguments": MAIL}]}


def lanes(run):
    with wall.system("tests: look"):
        run.refresh_from_db()
        return {lane.name: lane for lane in lanes_of(run)}


def states(run):
    return {name: lane.state for name, lane in lanes(run).items()}


def assert_sums(run):
    found = lanes(run).values()
    for name in ("model_calls", "tokens_in", "tokens_out", "tool_calls"):
        assert sum(getattr(lane, name) for lane in found) == getattr(run, name), name
    assert run.tokens_in > 0


def test_a_route_is_the_work_of_one_member(team_run):
    run = team_run("route", [{"tool_calls": [delegate("writer")]}], Planner=[{"text": "x"}], Writer=[{"text": "It."}])

    assert (run.state, run.output) == ("completed", "It.")
    assert states(run) == {"Press desk": "done", "Planner": "idle", "Writer": "done"}
    assert_sums(run)


def test_coordinating_asks_one_after_the_other(team_run):
    leader = [{"tool_calls": [delegate("planner", "Plan")]}, {"tool_calls": [delegate("writer")]}, {"text": "Both."}]
    run = team_run("coordinate", leader, Planner=[{"text": "A plan."}], Writer=[{"text": "A text."}])

    assert run.output == "Both."
    found = lanes(run)
    assert [(lane.tasks, lane.model_calls) for lane in found.values()] == [(0, 3), (1, 1), (1, 1)]
    assert_sums(run)
    with wall.system("tests: look"):
        sources = {line["source"] for line in lines_of(read_after(run, 0))}
    assert sources >= {"Press desk", "Planner", "Writer"}


def test_a_member_that_fails_is_seen_in_lane_page_and_api(team_run, client_as, cast):
    run = team_run(
        "collaborate",
        [{"tool_calls": [all_members()]}, {"text": "All went well."}],
        Planner=[{"text": "A plan."}],
        Writer=[{"status": 401, "error": {"message": "no"}}],
    )

    assert states(run) == {"Press desk": "done", "Planner": "done", "Writer": "failed"}
    assert "refused the key" in lanes(run)["Writer"].message
    assert_sums(run)
    client = client_as(cast.bob)
    page = client.get(reverse("runs:detail", args=[run.uuid])).content.decode()
    assert "refused the key" in page
    assert "Writer failed, its part is missing" in page
    told = client.get(f"/api/v1/runs/{run.uuid}").json()
    assert [(one["name"], one["state"]) for one in told["members"]] == list(states(run).items())
    assert sum(one["tokens_in"] for one in told["members"]) == told["tokens_in"]
    assert (told["team"]["name"], told["agent"], told["version"]) == ("Press desk", None, 1)


def test_a_member_asks_the_team_waits_and_goes_on(team_run, cast, sent, queued, client_as):
    leader = [{"tool_calls": [delegate("writer")]}, {"text": "Sent."}]
    run = team_run("coordinate", leader, Planner=[{"text": "x"}], Writer=[SEND, {"text": "I sent it."}])

    assert run.state == "waiting"
    assert states(run) == {"Press desk": "waiting", "Planner": "idle", "Writer": "waiting"}
    page = client_as(cast.bob).get(reverse("runs:detail", args=[run.uuid])).content.decode()
    assert "Writer wants to send something outside" in page

    with wall.system("tests: decide"):
        services.decide(actor=cast.bob, approval=run.approvals.get(), decision="approved")
        worker.execute(run.pk)
    assert states(run) == {"Press desk": "done", "Planner": "idle", "Writer": "done"}
    assert (run.output, sent) == ("Sent.", [MAIL])
    assert_sums(run)
    with wall.system("tests: look"):
        texts = [line["text"] for line in lines_of(read_after(run, 0))]
    assert any(text.startswith("Taken up again by worker ") for text in texts)
    assert "Bob approved it" in texts


def test_a_team_is_run_from_its_page_to_its_end(cast, client_as, transactional_db, monkeypatch):
    """With the built-in model, as a fresh installation has it: the service's spec is one that a worker takes."""
    monkeypatch.setattr("runs.services.starting.send", lambda *_: None)
    with wall.system("tests: set the stage"):
        members = [factories.agent(cast.alice, cast.marketing, name=name) for name in ("Planner", "Writer")]
        team = factories.team(cast.alice, cast.marketing, *members)
    answer = client_as(cast.bob).post(reverse("runs:start_team", args=[team.uuid]), {"input": "Plan the fair."})
    with wall.system("tests: work"):
        run = team.runs.get()
        worker.execute(run.pk)
        run.refresh_from_db()
    assert answer["Location"].endswith(f"{run.uuid}/")
    assert run.state == "completed", run.reason_message
    assert list(states(run)) == ["Press desk", "Planner", "Writer"]

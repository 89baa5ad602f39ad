"""The lanes of a run: one fold, in any number of steps, that sums up to the run."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from runs.stream.lanes import TYPES, begin, fold

BEGAN = datetime(2026, 11, 25, 9, tzinfo=UTC)
SPEC = {
    "name": "Desk",
    "members": [
        {"agent": {"name": "Planner", "description": "Plans"}, "role": ""},
        {"agent": {"name": "Writer", "description": "Writes"}, "role": "Writes it down"},
    ],
}


@dataclass(frozen=True)
class Row:
    type: str
    second: float = 0
    source: tuple[str, ...] = ("Desk",)
    data: dict[str, Any] = field(default_factory=dict)

    @property
    def at(self) -> datetime:
        return BEGAN + timedelta(seconds=self.second)


def lanes(*rows):
    return {lane.name: lane for lane in fold(begin(SPEC), rows)}


def member(kind, second, name="Writer", **data):
    return Row(f"member.{kind}", second, ("Desk", name), {"member": name, **data})


SOURCES = st.sampled_from([(), ("Desk",), ("Desk", "Planner"), ("Desk", "Writer"), ("Desk", "Somebody else")])
TOKENS = st.none() | st.integers(0, 10_000)
DATA = st.fixed_dictionaries(
    {
        "tokens_in": TOKENS,
        "tokens_out": TOKENS,
        "purpose": st.sampled_from(["", "memory", "summary"]),
        "error": st.sampled_from(["", "It broke."]),
        "message": st.just("Why"),
    }
)
LOGS = st.lists(
    st.builds(Row, st.sampled_from([*TYPES, "content.added", "run.resumed"]), st.integers(0, 1000), SOURCES, DATA),
    max_size=40,
)


@given(LOGS, st.data())
def test_folding_a_log_in_parts_is_folding_it_whole(rows, data):
    cut = data.draw(st.integers(0, len(rows)))
    assert fold(fold(begin(SPEC), rows[:cut]), rows[cut:]) == fold(begin(SPEC), rows)


@given(LOGS)
def test_the_lanes_sum_up_to_the_run(rows):
    found = fold(begin(SPEC), rows)
    calls = [row.data for row in rows if row.type == "model.called"]
    assert sum(lane.model_calls for lane in found) == len(calls)
    assert sum(lane.platform_calls for lane in found) == sum(bool(call["purpose"]) for call in calls)
    assert sum(lane.tokens_in for lane in found) == sum(call["tokens_in"] or 0 for call in calls)
    assert sum(lane.tokens_out for lane in found) == sum(call["tokens_out"] or 0 for call in calls)
    assert sum(lane.tool_calls for lane in found) == sum(row.type == "tool_call.started" for row in rows)


@given(LOGS)
def test_the_leader_and_the_members_stand_in_their_order(rows):
    assert [lane.name for lane in fold(begin(SPEC), rows)][:3] == ["Desk", "Planner", "Writer"]


def test_before_anything_happened_nobody_was_asked():
    found = lanes()
    assert {lane.state for lane in found.values()} == {"idle"}
    assert (found["Planner"].role, found["Writer"].role) == ("Plans", "Writes it down")
    assert found["Desk"].duration_ms() is None


def test_a_member_is_at_work_until_it_is_done():
    rows = [Row("run.started", 0), member("started", 1, task="Write")]
    found = lanes(*rows)
    assert (found["Desk"].state, found["Writer"].state, found["Planner"].state) == ("working", "working", "idle")
    assert found["Writer"].duration_ms(BEGAN + timedelta(seconds=4)) == 3000

    found = lanes(*rows, member("finished", 5, duration_ms=4000))
    assert (found["Writer"].state, found["Writer"].duration_ms(), found["Writer"].tasks) == ("done", 4000, 1)


def test_a_member_that_failed_says_why_until_it_is_asked_again():
    rows = [Row("run.started"), member("started", 1), member("finished", 2, error="The key was refused.")]
    assert (lanes(*rows)["Writer"].state, lanes(*rows)["Writer"].message) == ("failed", "The key was refused.")

    found = lanes(*rows, member("started", 3), member("finished", 4))["Writer"]
    assert (found.state, found.message, found.tasks, found.duration_ms()) == ("done", "", 2, 2000)


def test_the_time_in_which_people_decide_is_nobodys_work():
    rows = [
        Row("run.started", 0),
        member("started", 1),
        Row("run.waiting", 3),
        Row("run.resumed", 103, ()),
    ]
    found = lanes(*rows)
    assert (found["Desk"].state, found["Writer"].state, found["Planner"].state) == ("waiting", "waiting", "idle")

    found = lanes(*rows, Row("run.started", 104, ()), member("finished", 105), Row("run.completed", 106))
    assert (found["Desk"].duration_ms(), found["Writer"].duration_ms()) == (5000, 3000)
    assert (found["Desk"].state, found["Writer"].state) == ("done", "done")


def test_a_run_that_fails_stops_who_is_at_work():
    found = lanes(Row("run.started"), member("started", 1), Row("run.failed", 2, data={"message": "Too slow."}))
    assert (found["Desk"].state, found["Desk"].message) == ("failed", "Too slow.")
    assert (found["Writer"].state, found["Planner"].state) == ("stopped", "idle")


def test_a_run_that_is_stopped_before_a_worker_takes_it_has_begun_nothing():
    found = lanes(Row("run.cancelled", 1, (), {"message": "Stopped by Bob."}))
    assert (found["Desk"].state, found["Desk"].duration_ms()) == ("stopped", 0)
    assert found["Writer"].state == "idle"

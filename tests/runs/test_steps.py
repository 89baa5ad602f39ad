"""The steps of a run: one fold, in any number of parts, in which every event belongs somewhere and nothing is counted twice."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from mindloom.engine.events import TYPES
from runs.stream.progress import Known, figures
from runs.stream.steps import RUN, Steps, fold, trace

BEGAN = datetime(2026, 11, 25, 9, tzinfo=UTC)
LEAD, WRITER, SCOUT = ("Desk",), ("Desk", "Writer"), ("Desk", "Scout")


@dataclass(frozen=True)
class Row:
    seq: int
    type: str
    source: tuple[str, ...] = LEAD
    data: dict[str, Any] = field(default_factory=dict)

    @property
    def at(self) -> datetime:
        return BEGAN + timedelta(seconds=self.seq)


def log(*events: tuple) -> list[Row]:
    return [Row(seq, *event) for seq, event in enumerate(events, 1)]


CALLED = {"model": "loom-1", "tokens_in": 10, "tokens_out": 2, "duration_ms": 1500, "error": "", "purpose": ""}
CALL = {"call_id": "c1", "tool": "fetch_page", "duration_ms": 400, "message": "It broke."}
TEAM = log(
    ("run.queued",),
    ("run.started", LEAD, {"attempt": 1}),
    ("content.added", LEAD),
    ("model.called", LEAD, CALLED),
    ("member.started", WRITER, {"member": "Writer", "task": "Write"}),
    ("member.started", SCOUT, {"member": "Scout", "task": "Look"}),
    ("reasoning.added", WRITER),
    ("tool_call.started", SCOUT, CALL),
    ("content.added", WRITER),
    ("tool_call.failed", SCOUT, CALL),
    ("content.completed", WRITER),
    ("model.called", WRITER, CALLED | {"error": "No credit."}),
    ("knowledge.retrieved", WRITER, {"query": "bees", "duration_ms": 250}),
    ("member.finished", WRITER, {"member": "Writer", "error": "", "duration_ms": 1}),
    ("approval.requested", SCOUT, {"approval": "a1", "tool": "send_mail", "kind": "approval"}),
    ("run.waiting", LEAD, {"message": "m"}),
    ("approval.decided", LEAD, {"approval": "a1", "decision": "declined"}),
    ("run.resumed",),
    ("log.written", SCOUT, {"level": "info"}),
    ("run.completed",),
)
COSTS = {4: Decimal("0.5"), 12: None}


def test_a_team_s_run_is_a_tree():
    steps, keys = trace(Steps(), TEAM, COSTS)

    tree = {key: (step.parent, step.label, step.state) for key, step in steps.all.items()}
    assert tree == {
        RUN: (None, "Run", "completed"),
        "model-1": (RUN, "loom-1", "completed"),
        "member-1": (RUN, "Writer", "completed"),
        "member-2": (RUN, "Scout", "cancelled"),
        "member-1.model-1": ("member-1", "loom-1", "failed"),
        "tool-1": ("member-2", "fetch_page", "failed"),
        "knowledge-1": ("member-1", "bees", "completed"),
        "person-1": ("member-2", "Approve send_mail", "cancelled"),
    }
    assert keys[6:13] == ["member-1.model-1", "tool-1", "member-1.model-1", "tool-1", *["member-1.model-1"] * 2, "knowledge-1"]  # fmt: skip
    assert keys[18] == "member-2"


def test_what_a_step_took_is_in_all_that_it_is_inside_of():
    steps = fold(Steps(), TEAM, COSTS).all

    assert [(steps[key].tokens, steps[key].model_calls) for key in (RUN, "member-1", "member-2")] == [
        (24, 2),
        (12, 1),
        (0, 0),
    ]
    assert (steps[RUN].cost, steps[RUN].unpriced_calls) == (Decimal("0.5"), 1)
    assert figures(steps["member-1.model-1"]) == "failed · 5.0 s · 10 in · 2 out · unpriced"
    assert figures(steps["knowledge-1"]) == "250 ms"


def test_a_run_takes_what_it_took_from_its_first_start_without_the_time_in_the_queue():
    rows = log(
        ("run.queued",),
        ("log.written", LEAD, {"level": "info"}),
        ("run.started", LEAD, {"attempt": 1}),
        ("run.resumed", LEAD, {"message": "Going on"}),
        ("run.started", LEAD, {"attempt": 2}),
        ("run.completed",),
    )

    assert fold(Steps(), rows[:2], {}).all[RUN].began == rows[0].at
    assert fold(Steps(), rows, {}).all[RUN].duration_ms() == 3000


def test_what_was_under_way_when_the_worker_vanished_is_broken_off_and_begins_anew():
    rows = log(
        ("run.started", LEAD, {"attempt": 1}),
        ("tool_call.started", LEAD, CALL),
        ("content.added", LEAD),
        ("run.resumed", LEAD, {"message": "Going on"}),
        ("run.started", LEAD, {"attempt": 2}),
        ("tool_call.started", LEAD, CALL),
        ("tool_call.finished", LEAD, CALL),
    )
    steps = fold(Steps(), rows, {}).all

    assert [(key, steps[key].state) for key in ("tool-1", "model-1", "tool-2")] == [
        ("tool-1", "cancelled"),
        ("model-1", "cancelled"),
        ("tool-2", "completed"),
    ]


def test_without_the_pieces_of_texts_the_steps_have_the_same_keys():
    pruned = [row for row in TEAM if not row.type.endswith(".added")]
    assert set(fold(Steps(), pruned, COSTS).all) == set(fold(Steps(), TEAM, COSTS).all)


DATA = st.fixed_dictionaries(
    {
        "call_id": st.sampled_from(["c1", "c2"]),
        "tool": st.just("t"),
        "message": st.just("m"),
        "member": st.just("Writer"),
        "model": st.just("loom"),
        "query": st.just("q"),
        "approval": st.sampled_from(["a1", "a2"]),
        "decision": st.sampled_from(["approved", "declined"]),
        "attempt": st.integers(1, 2),
        "duration_ms": st.integers(0, 5000),
        "tokens_in": st.none() | st.integers(0, 99),
        "tokens_out": st.none() | st.integers(0, 99),
        "purpose": st.sampled_from(["", "memory"]),
        "error": st.sampled_from(["", "It broke."]),
    }
)
EVENTS = st.tuples(st.sampled_from([*TYPES, "moon.phased"]), st.sampled_from([(), LEAD, WRITER, SCOUT]), DATA)


@settings(max_examples=60)
@given(st.lists(EVENTS, max_size=25))
def test_cut_anywhere_the_two_parts_fold_to_the_whole(events):
    rows = log(*events)
    costs = {row.seq: Decimal(row.seq) for row in rows if row.seq % 2}
    whole, keys = trace(Steps(), rows, costs)

    for cut in range(len(rows) + 1):
        assert fold(fold(Steps(), rows[:cut], costs), rows[cut:], costs) == whole
        known = Known()
        for part in (rows[:cut], rows[cut:]):
            known = known.extended(part, costs) if part else known
        assert [known.key_of(row.seq) for row in rows] == keys


@settings(max_examples=60)
@given(st.lists(EVENTS, min_size=1, max_size=25))
def test_the_tree_holds_every_event_and_sums_up(events):
    rows = log(*events)
    steps, keys = trace(Steps(), rows, {})

    called = [row for row in rows if row.type == "model.called"]
    assert set(keys) <= set(steps.all)
    assert all(step.parent in steps.all for step in steps.all.values() if step.key != RUN)
    assert steps.all[RUN].model_calls == len(called)
    assert steps.all[RUN].tokens == sum((row.data["tokens_in"] or 0) + (row.data["tokens_out"] or 0) for row in called)
    assert all(
        step.first <= row.seq <= step.last for row, key in zip(rows, keys, strict=True) for step in steps.path(key)
    )
    assert all(step.ended is None or step.began <= step.ended for step in steps.all.values())

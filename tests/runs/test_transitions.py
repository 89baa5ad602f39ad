"""No sequence of what people, workers and the reaper do brings a run to two ends, out of an end, or to a log with a gap."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from mindloom import wall
from mindloom.engine.events import (
    ApprovalRequested,
    LogWritten,
    RunCancelled,
    RunCompleted,
    RunFailed,
    RunWaiting,
    ToolCallFinished,
    ToolCallStarted,
)
from mindloom.engine.runner import Noted
from mindloom.web.errors import Conflict, MindloomError
from runs import services, worker
from runs.models import TERMINAL_STATES, Approval, Guard, JournalEntry, Run, State, append
from runs.worker.claim import claim
from runs.worker.recorder import Lost, Recorder
from runs.worker.redact import Redactor
from tests import factories

ENDS = [RunCompleted(output="x"), RunFailed(kind="agent_error", message="x"), RunCancelled(message="x")]


class Lives(RuleBasedStateMachine):
    """One run; workers that hold a claim, some of them long given up for dead, who write all the same."""

    cast = None
    numbers = iter(range(10**9))

    def __init__(self):
        super().__init__()
        self.agent = factories.agent(self.cast.alice, self.cast.marketing, name=f"Agent {next(self.numbers)}")
        self.run = factories.run(self.agent, self.cast.bob)
        self.pens: list[Recorder] = []
        self.end = None
        self.calls = 0

    def now(self):
        return Run.objects.values_list("state", flat=True).get(pk=self.run.pk)

    @rule()
    def a_worker_takes_it(self):
        taken = claim(self.run.pk)
        if taken is not None:
            run, fence = taken
            self.pens.append(Recorder(run, fence, Redactor()))

    @precondition(lambda self: self.pens)
    @rule(data=st.data(), effect=st.sampled_from(["reads", "sends"]), answers=st.booleans(), noted=st.booleans())
    def a_worker_writes(self, data, effect, answers, noted):
        pen = data.draw(st.sampled_from(self.pens))
        self.calls += 1
        name = f"call-{self.calls}"
        try:
            pen.take(LogWritten(level="info", message="x"))
            pen.take(ToolCallStarted(call_id=name, tool="t", arguments={}, effect=effect, key=name))
            if answers:
                if noted:
                    pen.take(Noted(name=name, value={"text": "x"}))
                pen.take(ToolCallFinished(call_id=name, tool="t", result="x", duration_ms=1))
        except Lost:
            self.pens.remove(pen)

    @precondition(lambda self: self.pens)
    @rule(data=st.data(), end=st.sampled_from(ENDS))
    def a_worker_ends_it(self, data, end):
        self.a_pen_is_laid_down(data, lambda pen: pen.end(end))

    @precondition(lambda self: self.pens)
    @rule(data=st.data())
    def a_worker_goes_down(self, data):
        self.a_pen_is_laid_down(data, lambda pen: pen.give_back("The worker was shut down."))

    @precondition(lambda self: self.pens)
    @rule(data=st.data())
    def it_asks(self, data):
        def ask(pen):
            self.calls += 1
            question = ApprovalRequested(
                approval=str(uuid4()), tool="t", arguments={}, message="x", key=f"ask-{self.calls}"
            )
            pen.take(question)
            pen.take(RunWaiting(reason="waiting_for_person", message="x"))
            pen.wait()

        self.a_pen_is_laid_down(data, ask)

    def a_pen_is_laid_down(self, data, act):
        pen = data.draw(st.sampled_from(self.pens))
        self.pens.remove(pen)
        try:
            act(pen)
        except Lost:
            return

    @rule()
    def its_worker_falls_silent_and_the_reaper_comes(self):
        long_ago = datetime.now(UTC) - timedelta(minutes=5)
        Run.objects.filter(pk=self.run.pk, state=State.RUNNING).update(heartbeat_at=long_ago)
        worker.reap()

    @rule()
    def it_overruns_and_the_reaper_comes(self):
        Run.objects.filter(pk=self.run.pk, state=State.RUNNING).update(deadline_at=datetime.now(UTC))
        worker.reap()

    @rule()
    def bob_stops_it(self):
        try:
            services.stop_run(actor=self.cast.bob, run=Run.objects.get(pk=self.run.pk))
        except Conflict:
            return

    @rule(data=st.data())
    def bob_decides(self, data):
        approvals = list(Approval.objects.filter(run=self.run).order_by("pk"))
        if not approvals:
            return
        approval = data.draw(st.sampled_from(approvals))
        choices = ["happened", "did_not_happen"] if approval.kind == "check" else ["approved", "declined"]
        try:
            services.decide(actor=self.cast.bob, approval=approval, decision=data.draw(st.sampled_from(choices)))
        except MindloomError:
            return

    @rule(state=st.sampled_from(list(State)))
    def somebody_writes_past_the_services(self, state):
        """The database refuses to take a run out of its end, or to give it another."""
        if self.now() in TERMINAL_STATES and state != self.now():
            with pytest.raises(IntegrityError), transaction.atomic():
                Run.objects.filter(pk=self.run.pk).update(state=state)

    @rule()
    def a_stranger_appends(self):
        guard = Guard(states=(State.RUNNING,), fence=10**6)
        assert append(self.run.pk, [RunFailed(kind="lost", message="x")], guard=guard) is None

    @invariant()
    def it_has_one_end_at_most_and_a_whole_log(self):
        run = Run.objects.get(pk=self.run.pk)
        types = list(run.events.order_by("seq").values_list("type", flat=True))
        ends = [place for place, kind in enumerate(types, 1) if kind in {f"run.{one}" for one in TERMINAL_STATES}]
        assert list(run.events.order_by("seq").values_list("seq", flat=True)) == list(range(1, run.last_seq + 1))
        if run.is_terminal:
            assert ends == [run.last_seq]
            assert types[-1] == f"run.{run.state}"
            assert self.end in {None, types[-1]}
            self.end = types[-1]
            assert not JournalEntry.objects.filter(run=run).exists()
            assert not run.approvals.undecided().exists()
        else:
            assert ends == []
            assert self.end is None
        if run.state == State.WAITING:
            assert run.approvals.undecided().exists()


def test_no_sequence_reaches_two_ends(cast, db, monkeypatch):
    monkeypatch.setattr("runs.services.deciding.send", lambda run_id: None)
    Lives.cast = cast
    with wall.system("tests: a run and all who touch it"):
        run_state_machine_as_test(
            Lives,
            settings=settings(
                max_examples=60,
                stateful_step_count=25,
                suppress_health_check=list(HealthCheck),
            ),
        )

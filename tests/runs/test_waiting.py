"""A worker and a run that waits: what is stored with it, who may take it on, and what ends it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from django.db import connection

from mindloom import wall
from mindloom.engine.ports import ToolFunction
from mindloom.engine.spec import ModelSpec, ToolInfo, ToolSpec
from runs import worker
from runs.models import Approval, JournalEntry, Run, State
from tests import factories
from tests.engine.helpers import text_schema
from tests.fakes.openai_server import FakeModels

MAIL = {"to": "anna@example.org", "text": "Hello"}


@pytest.fixture(scope="module")
def fake():
    with FakeModels() as server:
        yield server


@pytest.fixture
def sent(monkeypatch):
    """What the tool that asks first has sent; it is the only tool."""
    posted = []

    def send(arguments, context):
        posted.append(arguments)
        return "sent"

    info = ToolInfo(name="send_mail", description="Sends a mail", parameters=text_schema("to", "text"), effect="sends")
    function = ToolFunction(info=info, call=send, asks="approval")
    monkeypatch.setattr("runs.worker.ports.tools.functions", lambda spec, connection=None: [function])
    return posted


@pytest.fixture
def waiting(fake, cast, transactional_db, sent):
    """A run that has come to its question."""
    fake.script("waits", [{"tool_calls": [{"name": "send_mail", "arguments": MAIL}]}, {"text": "Done."}])
    model = ModelSpec(kind="openai_like", model="waits", base_url=fake.url)
    with wall.system("tests: a run that asks"):
        agent = factories.agent(cast.alice, cast.marketing)
        run = factories.run(agent, cast.bob, spec=factories.spec(model=model, tools=(ToolSpec(key="x"),)).to_json())
        worker.execute(run.pk)
        run.refresh_from_db()
        yield run


def decide(run, person, state=Approval.State.APPROVED):
    run.approvals.update(state=state, decided_by=person, decided_at=datetime.now(UTC))
    Run.objects.filter(pk=run.pk).update(state=State.QUEUED)


def test_a_run_that_waits_has_its_question_and_what_it_goes_on_with(waiting, sent):
    assert (waiting.state, waiting.reason) == (State.WAITING, "waiting_for_person")
    question = waiting.approvals.get()
    assert (question.state, question.tool, question.arguments, question.effect) == ("open", "send_mail", MAIL, "sends")
    assert question.department_id == waiting.department_id
    assert JournalEntry.objects.filter(run=waiting).exists()
    assert list(waiting.events.order_by("seq").values_list("type", flat=True))[-2:] == [
        "approval.requested",
        "run.waiting",
    ]
    assert sent == []


def test_the_log_has_no_gap_over_the_pause(waiting, cast):
    decide(waiting, cast.alice)
    worker.execute(waiting.pk)
    waiting.refresh_from_db()
    seqs = list(waiting.events.order_by("seq").values_list("seq", flat=True))
    assert seqs == list(range(1, waiting.last_seq + 1))


def test_two_workers_at_once_make_the_call_once(waiting, cast, sent):
    decide(waiting, cast.alice)

    def work():
        try:
            return worker.execute(waiting.pk)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        taken = [one.result() for one in [pool.submit(work), pool.submit(work)]]
    assert sorted(taken) == [False, True]
    assert sent == [MAIL]


def test_when_it_has_ended_nothing_of_the_journal_is_left(waiting, cast):
    decide(waiting, cast.alice)
    worker.execute(waiting.pk)
    waiting.refresh_from_db()
    assert (waiting.state, waiting.output) == (State.COMPLETED, "Done.")
    assert not JournalEntry.objects.filter(run=waiting).exists()


def test_what_was_declined_is_not_sent(waiting, cast, sent):
    decide(waiting, cast.alice, Approval.State.DECLINED)
    worker.execute(waiting.pk)
    waiting.refresh_from_db()
    assert (waiting.state, sent) == (State.COMPLETED, [])


def test_arguments_that_were_changed_behind_the_platforms_back_are_not_used(waiting, cast, sent):
    decide(waiting, cast.alice)
    waiting.approvals.update(arguments={**MAIL, "to": "eve@example.org"})
    worker.execute(waiting.pk)
    waiting.refresh_from_db()
    assert (waiting.state, waiting.reason, sent) == (State.FAILED, "rejected", [])


def test_a_run_that_was_stopped_just_when_it_began_to_wait_does_not_wait(
    fake, cast, transactional_db, sent, monkeypatch
):
    stop = {"cancel_requested_at": datetime.now(UTC), "cancel_message": "Stopped by Bob."}
    fake.script("stopped", [{"tool_calls": [{"name": "send_mail", "arguments": MAIL}]}])
    spec = factories.spec(
        model=ModelSpec(kind="openai_like", model="stopped", base_url=fake.url), tools=(ToolSpec(key="x"),)
    )
    with wall.system("tests: a run that asks"):
        run = factories.run(factories.agent(cast.alice, cast.marketing), cast.bob, spec=spec.to_json())
        kept = worker.recorder.ask
        # Somebody stops it between its last sign of life and the moment in which it waits.
        monkeypatch.setattr(type(worker.steward), "_beat", lambda *_: None)
        monkeypatch.setattr(
            "runs.worker.recorder.ask",
            lambda *given, **named: Run.objects.filter(pk=run.pk).update(**stop) and kept(*given, **named),
        )
        worker.execute(run.pk)
        run.refresh_from_db()
        assert (run.state, run.reason_message) == (State.CANCELLED, "Stopped by Bob.")
        assert run.approvals.get().state == "void"
        assert not JournalEntry.objects.filter(run=run).exists()


def test_a_secret_in_a_question_is_masked_and_the_call_is_made_with_it_all_the_same(waiting, cast, sent):
    """What people see has its secrets masked; the call itself is the one that was asked."""
    masked = {**MAIL, "text": "•••"}
    waiting.approvals.update(arguments=masked)
    JournalEntry.objects.filter(run=waiting, name="0:tool:1:shown").update(value=masked)
    decide(waiting, cast.alice)
    worker.execute(waiting.pk)
    assert sent == [MAIL]

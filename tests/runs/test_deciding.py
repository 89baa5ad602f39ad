"""Deciding: who may, that one decision counts, and that the run goes on once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from audit.models import Entry
from mindloom import wall
from mindloom.web.errors import Conflict, Invalid, NotAllowed, NotFound
from runs import services, worker
from runs.models import Approval, Run
from tests.runs.conftest import MAIL

QUESTION = {"name": "ask_person", "arguments": {"question": "Which city?"}}


@pytest.fixture
def waiting(asking):
    with wall.system("tests: decide"):
        yield asking()


def decide(run, person, decision="approved", note="", place=0):
    approval = run.approvals.order_by("id")[place]
    return services.decide(actor=person, approval=approval, decision=decision, note=note)


def go_on(run):
    worker.execute(run.pk)
    run.refresh_from_db()
    return run


def test_an_approved_call_is_made_once_exactly_as_it_was_asked(waiting, cast, sent, queued):
    run = decide(waiting, cast.bob, note="Fine by me")

    assert (run.state, queued) == ("queued", [run.pk])
    assert go_on(run).output == "Done."
    assert sent == [MAIL]
    approval = run.approvals.get()
    assert (approval.state, approval.decided_by, approval.note) == ("approved", cast.bob, "Fine by me")
    types = list(run.events.order_by("seq").values_list("type", flat=True))
    assert types.index("approval.decided") + 1 == types.index("run.resumed")


def test_a_decision_is_in_the_audit_trail(waiting, cast):
    decide(waiting, cast.alice)
    entry = Entry.objects.get(action="approval.approved")
    assert entry.data["tool"] == "send_mail"


def test_a_declined_call_is_not_made_and_the_model_reads_why(waiting, cast, sent, provider):
    run = go_on(decide(waiting, cast.alice, "declined", "Not before Monday."))

    assert (run.state, sent) == ("completed", [])
    told = provider.bodies(run.spec["model"]["model"])[-1]["messages"]
    assert "Not before Monday." in str(told)


def test_a_question_is_answered_in_words(asking, cast, provider):
    with wall.system("tests: decide"):
        run = go_on(decide(asking(QUESTION), cast.bob, "answered", "Ghent"))
        told = provider.bodies(run.spec["model"]["model"])[-1]["messages"]
    assert [one["content"] for one in told if one["role"] == "tool"] == ["Ghent"]


def test_the_run_goes_on_after_the_last_of_its_questions(asking, cast, queued):
    with wall.system("tests: decide"):
        run = asking({"name": "send_mail", "arguments": MAIL}, QUESTION)
        kinds = [one.kind for one in run.approvals.order_by("id")]
        words = {"approval": "approved", "answer": "answered"}
        first = decide(run, cast.bob, words[kinds[0]], "Ghent")
        assert (first.state, queued) == ("waiting", [])
        last = decide(run, cast.bob, words[kinds[1]], "Ghent", place=1)
        assert (last.state, queued) == ("queued", [run.pk])
        assert go_on(run).state == "completed"


@pytest.mark.parametrize(("person", "error"), [("carol", NotAllowed), ("mallory", NotFound), ("nora", NotFound)])
def test_others_decide_nothing(waiting, cast, person, error):
    with pytest.raises(error):
        decide(waiting, getattr(cast, person))
    assert waiting.approvals.get().state == "open"


def test_a_member_does_not_decide_for_somebody_elses_run(asking, cast):
    with wall.system("tests: decide"):
        run = asking(by=cast.alice)
        with pytest.raises(NotAllowed, match="manager"):
            decide(run, cast.bob)


@pytest.mark.parametrize(
    ("decision", "note", "field"),
    [
        ("perhaps", "", "decision"),
        ("answered", "Yes", "decision"),
        ("open", "", "decision"),
        ("void", "", "decision"),
        ("approved", "x" * 10_001, "note"),
        ("approved", "a\x00b", "note"),
        ("declined", None, "note"),
    ],
)
def test_what_is_no_decision_is_refused_by_name(waiting, cast, decision, note, field):
    with pytest.raises(Invalid) as refused:
        decide(waiting, cast.bob, decision, note)
    assert list(refused.value.fields) == [field]
    assert waiting.approvals.get().state == "open"


@pytest.mark.parametrize(("decision", "note", "field"), [("answered", "  ", "note"), ("approved", "Yes", "decision")])
def test_a_question_wants_an_answer(asking, cast, decision, note, field):
    with wall.system("tests: decide"), pytest.raises(Invalid) as refused:
        decide(asking(QUESTION), cast.bob, decision, note)
    assert list(refused.value.fields) == [field]


def test_the_second_decision_is_told_of_the_first(waiting, cast):
    decide(waiting, cast.bob, "declined")
    with pytest.raises(Conflict, match="Bob has decided already: declined"):
        decide(waiting, cast.alice)


def test_two_people_at_once_decide_once_and_the_run_goes_on_once(waiting, cast, queued, sent):
    def work(person, decision):
        try:
            with wall.system("tests: decide"):
                decide(Run.objects.get(pk=waiting.pk), person, decision)
        except Conflict as error:
            return error.code
        finally:
            connection.close()
        return decision

    with ThreadPoolExecutor(2) as pool:
        tries = [pool.submit(work, cast.alice, "approved"), pool.submit(work, cast.bob, "declined")]
        said = [one.result() for one in tries]

    assert sorted(one == "already_decided" for one in said) == [False, True]
    assert queued == [waiting.pk]
    won = next(one for one in said if one != "already_decided")
    assert waiting.approvals.get().state == won
    assert waiting.events.filter(type="approval.decided").count() == 1
    assert waiting.events.filter(type="run.resumed").count() == 1
    go_on(waiting)
    assert sent == ([MAIL] if won == "approved" else [])


def test_when_the_run_was_stopped_there_is_nothing_to_decide(waiting, cast, sent):
    services.stop_run(actor=cast.bob, run=waiting)

    assert waiting.approvals.get().state == Approval.State.VOID
    with pytest.raises(Conflict, match="The run has ended"):
        decide(waiting, cast.alice)
    assert sent == []

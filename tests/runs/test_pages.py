"""Pages of runs: starting, testing, deciding, results."""

from __future__ import annotations

import json

import pytest
from django.urls import reverse

from mindloom import wall
from runs import worker
from runs.models import Run
from tests import factories

TOPIC = {
    "name": "topic",
    "label": "Topic",
    "kind": "text",
    "help": "",
    "required": True,
    "default": None,
    "choices": [],
}
QUESTION = {"name": "ask_person", "arguments": {"question": "Which city?"}}
FORM = {
    "name": "Calls",
    "schema": {
        "type": "object",
        "required": ["title", "calls"],
        "properties": {
            "title": {"type": "string"},
            "calls": {"type": "array", "items": {"type": "object", "properties": {"name": {"type": "string"}}}},
        },
    },
}


@pytest.fixture(autouse=True)
def _no_workers(monkeypatch):
    monkeypatch.setattr("runs.services.starting.send", lambda *_: None)


@pytest.fixture
def made(cast):
    """An agent and a team of Marketing."""
    with wall.system("tests: set the stage"):
        agent = factories.agent(cast.alice, cast.marketing)
        helper = factories.agent(cast.alice, cast.marketing, name="Helper")
        return {"agent": agent, "team": factories.team(cast.alice, cast.marketing, agent, helper)}


def address(page, run, *more):
    return reverse(f"runs:{page}", args=[run.uuid, *more])


def question_of(run):
    with wall.system("tests: look"):
        return run.approvals.get()


def say(client, run, **data):
    return client.post(address("decide", run, question_of(run).uuid), data)


def newest():
    with wall.system("tests: look"):
        return Run.objects.select_related("agent", "agent_version", "team", "team_version").order_by("-id").first()


# --- deciding --------------------------------------------------------------------------------------


def test_the_page_shows_what_the_call_would_do(asking, client_as, cast):
    run = asking()
    page = client_as(cast.bob).get(address("detail", run)).content.decode()

    for told in ("wants to send something outside", "send_mail", "anna@example.org", "here is the plan.", "sends"):
        assert told in page
    assert 'value="approved"' in page
    assert 'value="declined"' in page


def test_approving_on_the_page_lets_the_run_go_on(asking, client_as, cast, queued):
    run = asking()
    answer = say(client_as(cast.bob), run, decision="approved", note="Two\r\nlines")

    assert (answer.status_code, answer["Location"]) == (302, address("detail", run))
    assert (question_of(run).state, question_of(run).note) == ("approved", "Two\nlines")
    assert queued == [run.pk]
    page = client_as(cast.bob).get(address("detail", run)).content.decode()
    assert "Decisions" in page
    assert "wants to send something outside" in page, "it stays in the log"
    assert 'value="approved"' not in page


def test_nothing_of_the_form_but_decision_and_note_counts(asking, client_as, cast, sent):
    run = asking()
    before = question_of(run).arguments
    say(client_as(cast.bob), run, decision="approved", arguments='{"to": "eve@example.org"}', tool="other")
    assert question_of(run).arguments == before


@pytest.mark.parametrize(
    ("calls", "data", "sentence"),
    [
        ([], {"decision": "approved", "note": "x" * 10_001}, "10,001 characters"),
        ([], {"decision": "perhaps"}, "Choose one of"),
        ([], {}, "Choose one of"),
        ([QUESTION], {"decision": "answered", "note": " "}, "Write the answer."),
    ],
)
def test_what_is_refused_is_said_beside_the_field(asking, client_as, cast, calls, data, sentence):
    run = asking(*calls)
    answer = say(client_as(cast.bob), run, **data)

    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert question_of(run).state == "open"


def test_a_question_has_a_box_for_the_answer(asking, client_as, cast):
    run = asking(QUESTION)
    page = client_as(cast.bob).get(address("detail", run)).content.decode()
    assert "Which city?" in page
    assert "Your answer" in page

    say(client_as(cast.bob), run, decision="answered", note="Ghent")
    assert question_of(run).note == "Ghent"


def test_who_may_not_decide_reads_who_can(asking, client_as, cast):
    run = asking()
    client = client_as(cast.carol)
    page = client.get(address("detail", run)).content.decode()

    assert "Bob, who started this run, or a manager of Marketing can decide." in page
    assert 'value="approved"' not in page
    assert say(client, run, decision="approved").status_code == 403


def test_who_comes_too_late_reads_who_was_first(asking, client_as, cast):
    run = asking()
    say(client_as(cast.alice), run, decision="declined")
    answer = client_as(cast.bob).post(
        address("decide", run, question_of(run).uuid), {"decision": "approved"}, follow=True
    )

    assert "Alice has decided already: declined." in answer.content.decode()


def test_a_question_of_another_run_is_not_found(asking, client_as, cast):
    one, other = asking(), asking()
    answer = client_as(cast.bob).post(address("decide", one, question_of(other).uuid), {"decision": "approved"})
    assert answer.status_code == 404


def test_runs_that_wait_have_a_view(asking, client_as, cast):
    run = asking()
    page = client_as(cast.bob).get("/runs/?view=waiting").content.decode()
    assert f"#{run.pk}" in page


# --- starting and testing --------------------------------------------------------------------------


def start_of(target, kind):
    return reverse("runs:start_team" if kind == "team" else "runs:start", args=[target.uuid])


def test_of(target, kind):
    return reverse("runs:test_team" if kind == "team" else "runs:test_panel", args=[target.uuid])


test_of.__test__ = False
both_kinds = pytest.mark.parametrize("kind", ["agent", "team"])


@both_kinds
def test_a_run_is_started_from_its_page(made, client_as, cast, kind):
    answer = client_as(cast.bob).post(start_of(made[kind], kind), {"input": "Go"})

    run = newest()
    assert answer["Location"] == address("detail", run)
    assert (run.target, run.trigger, run.version.number) == (made[kind], "person", 1)
    page = client_as(cast.bob).get(address("detail", run)).content.decode()
    assert made[kind].name in page
    assert f"#{run.pk}" in client_as(cast.bob).get(f"/runs/?{kind}={made[kind].uuid}").content.decode()
    other = made["agent" if kind == "team" else "team"]
    name = "agent" if kind == "team" else "team"
    assert f"#{run.pk}" not in client_as(cast.bob).get(f"/runs/?{name}={other.uuid}").content.decode()


@both_kinds
def test_a_test_runs_the_draft_the_published_version_or_both(made, client_as, cast, kind):
    client, panel = client_as(cast.alice), test_of(made[kind], kind)
    for mode, versions in (("draft", [0]), ("published", [1]), ("both", [0, 1])):
        with wall.system("tests: start over"):
            worker.remove_runs(list(Run.objects.values_list("pk", flat=True)))
        answer = client.post(panel, {"input": "Go", "with": mode})

        assert answer.status_code == 200
        with wall.system("tests: look"):
            runs = list(Run.objects.order_by("id"))
        assert [run.spec["version"] for run in runs] == versions
        assert {run.trigger for run in runs} == {"test"}
        assert all(str(run.uuid) in answer.content.decode() for run in runs)


@both_kinds
def test_both_start_or_none(made, client_as, cast, kind):
    with wall.system("tests: the draft asks for more"):
        made[kind].draft = made[kind].draft | {"limits": {"seconds": -1}}
        made[kind].save()
    answer = client_as(cast.alice).post(test_of(made[kind], kind), {"input": "Go", "with": "both"})

    assert answer.status_code == 422
    assert newest() is None


def test_a_draft_and_its_version_may_ask_for_different_values(made, client_as, cast):
    with wall.system("tests: the draft has a variable"):
        made["agent"].draft = made["agent"].draft | {"variables": [TOPIC]}
        made["agent"].save()
    client_as(cast.alice).post(test_of(made["agent"], "agent"), {"input": "Go", "var-topic": "bees", "with": "both"})
    with wall.system("tests: look"):
        assert [run.variables for run in Run.objects.order_by("id")] == [{"topic": "bees"}, {}]


@both_kinds
def test_only_editors_test(made, client_as, cast, kind):
    for mode in ("draft", "published"):
        answer = client_as(cast.bob).post(test_of(made[kind], kind), {"input": "Go", "with": mode})
        assert answer.status_code == 403
    assert newest() is None


@both_kinds
def test_what_was_never_published_says_so(cast, client_as, kind):
    with wall.system("tests: set the stage"):
        agent = factories.agent(cast.alice, cast.marketing, published=False)
        target = agent if kind == "agent" else factories.team(cast.alice, cast.marketing, agent, published=False)
    page = client_as(cast.alice).get(start_of(target, kind)).content.decode()
    assert f"Publish this {kind}" in page
    assert "Both" not in client_as(cast.alice).get(test_of(target, kind)).content.decode()


# --- shared with everyone --------------------------------------------------------------------------


@both_kinds
def test_what_is_shared_runs_where_one_works_and_its_owners_see_nothing_of_it(made, client_as, cast, kind):
    with wall.system("tests: share"):
        for one in made.values():
            type(one).objects.all().update(visibility="everyone")
    client = client_as(cast.mallory)
    page = client.get(start_of(made[kind], kind)).content.decode()
    assert "runs in Finance" in page
    client.post(start_of(made[kind], kind), {"input": "Numbers of Finance"})

    run = newest()
    assert run.department_id == cast.finance.pk
    assert made[kind].name in client.get(address("detail", run)).content.decode()
    for person in (cast.alice, cast.bob):
        assert client_as(person).get(address("detail", run)).status_code == 404
        assert f"#{run.pk}" not in client_as(person).get("/runs/").content.decode()


@both_kinds
def test_a_run_of_what_is_no_longer_shared_can_still_be_read(made, client_as, cast, kind):
    client = client_as(cast.mallory)
    with wall.system("tests: share"):
        for one in made.values():
            type(one).objects.all().update(visibility="everyone")
    client.post(start_of(made[kind], kind), {"input": "Numbers of Finance"})
    run = newest()
    with wall.system("tests: take it back"):
        type(made[kind]).objects.all().update(visibility="department")

    for path in ("detail", "output", "inputs", "artifacts"):
        page = client.get(address(path, run))
        assert (path, page.status_code) == (path, 200)
        assert run.target_name in page.content.decode()
    assert client.get("/runs/").status_code == 200
    assert client.get("/").status_code == 200
    assert client.post(address("again", run)).status_code == 302
    assert newest() == run


# --- results ---------------------------------------------------------------------------------------


@pytest.fixture
def answered(made, cast):
    def make(structured, **fields):
        with wall.system("tests: a run that has ended"):
            run = factories.run(made["agent"], cast.bob)
            spec = run.spec | {"output": FORM}
            Run.objects.filter(pk=run.pk).update(
                state="completed", finished_at=run.queued_at, spec=spec, structured=structured, **fields
            )
        return run

    return make


def test_an_answer_with_a_form_is_a_table_json_and_csv(answered, client_as, cast):
    run, client = answered({"calls": [{"name": "Horizon"}, {"name": "=1+1"}], "title": "Grants"}), client_as(cast.bob)

    page = client.get(address("output", run)).content.decode()
    assert page.index("Grants") < page.index("Horizon")
    assert '"calls"' not in page
    as_json = client.get(address("output", run) + "?as=json").content.decode()
    assert "&quot;Horizon&quot;" in as_json
    saved = client.get(address("output_json", run))
    assert json.loads(saved.content) == {"title": "Grants", "calls": [{"name": "Horizon"}, {"name": "=1+1"}]}
    sheet = client.get(address("output_csv", run))
    assert sheet["Content-Type"].startswith("text/csv")
    assert f"run-{run.pk}.csv" in sheet["Content-Disposition"]
    assert sheet.content.decode("utf-8-sig").splitlines() == ["title,calls.name", "Grants,Horizon", "Grants,'=1+1"]


def test_free_text_is_no_spreadsheet(answered, client_as, cast):
    run = answered(None, output="Words")
    for page in ("output_csv", "output_json"):
        assert client_as(cast.bob).get(address(page, run)).status_code == 404


def test_what_a_reader_must_know_is_said_above_the_result(answered, client_as, cast):
    run = answered(None, output="All well.", reason_message="Writer failed, its part is missing: no.")
    for page in ("output", "detail", "result"):
        assert "Writer failed, its part is missing" in client_as(cast.bob).get(address(page, run)).content.decode()

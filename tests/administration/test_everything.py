"""What administrators see and do in all departments at once, and that nobody else finds a page there."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.core import mail

from agents.models import Agent
from audit.models import Entry
from mindloom import wall
from runs.models import Run, State
from tests import factories

PAGES = ["", "runs/", "agents/", "teams/", "mail/", "about/"]


@pytest.fixture
def made(cast):
    with wall.system("tests: things of two departments"):
        scout = factories.agent(cast.alice, cast.marketing, name="Scout")
        vault = factories.agent(cast.mallory, cast.finance, name="Vault")
        failed = {"state": State.FAILED, "reason": "timeout", "finished_at": datetime.now(UTC)}
        return {
            "scout": scout,
            "vault": vault,
            "team": factories.team(cast.mallory, cast.finance, vault),
            "queued": factories.run(scout, cast.alice),
            "failed": factories.run(vault, cast.mallory, **failed),
        }


def page_of(client, path, **query):
    return client.get(f"/administration/{path}", query).content.decode()


@pytest.mark.parametrize("path", PAGES)
def test_others_find_nothing_there(cast, client_as, path):
    assert client_as(cast.alice).get(f"/administration/{path}").status_code == 404
    assert client_as(None).get(f"/administration/{path}").status_code == 302


def test_the_overview_says_what_works_what_goes_on_and_why_runs_failed(made, cast, client_as):
    answer = client_as(cast.ada).get("/administration/")
    works = {one.name: one.works for one in answer.context["checks"]}
    assert works["Database"] is works["Redis"] is works["Storage"] is works["Audit trail"] is True
    assert works["Scheduler"] is False  # none runs in this test
    assert answer.context["standing"].queued == 1
    assert answer.context["failures"] == [("Too slow", 1, 1)]
    assert "Start: manage.py scheduler" in answer.content.decode()


def test_what_is_away_is_said_on_the_page(cast, client_as, monkeypatch):
    def broken():
        raise RuntimeError("no disk")

    monkeypatch.setitem(__import__("administration.queries.health", fromlist=["x"]).LOOKED_AT, "Storage", broken)
    assert "RuntimeError: no disk" in page_of(client_as(cast.ada), "")


def test_runs_of_all_departments_are_listed_and_filtered(made, cast, client_as):
    client = client_as(cast.ada)
    page = page_of(client, "runs/")
    assert "Scout" in page
    assert "Vault" in page
    assert "Scout" not in page_of(client, "runs/", view="failed").partition('id="runs"')[2]
    assert "Vault" not in page_of(client, "runs/", department=cast.marketing.uuid).partition('id="runs"')[2]
    assert "a page that does not exist" in page_of(client, "runs/", before="x")


def test_a_look_at_all_departments_is_in_the_trail_once_a_quarter_of_an_hour(made, cast, client_as):
    client = client_as(cast.ada)
    for path in ("runs/", "runs/", "agents/"):
        page_of(client, path)
    with wall.system("tests: the trail"):
        found = Entry.objects.filter(action="departments.looked_into", actor_id=cast.ada.pk).order_by("id")
        assert [one.data["what"] for one in found] == ["runs", "agents"]


def test_a_run_of_any_department_is_stopped_after_a_question(made, cast, client_as):
    client, marked = client_as(cast.ada), {"marked": [str(made["queued"].uuid), "x", str(made["failed"].uuid)]}
    asked = client.post("/administration/runs/stop/", marked)
    assert asked.status_code == 422
    assert "Stop 2 runs?" in asked.content.decode()
    client.post("/administration/runs/stop/", marked | {"confirmed": "1"})
    with wall.system("tests: look"):
        assert Run.objects.get(pk=made["queued"].pk).state == State.CANCELLED
        assert Entry.objects.get(action="run.stopped").actor_id == cast.ada.pk


@pytest.mark.parametrize(
    ("action", "archived"), [("disable", True), ("enable", False)], ids=["taken out of use", "put back"]
)
def test_agents_of_several_departments_at_once(made, cast, client_as, action, archived):
    client, marked = client_as(cast.ada), {"marked": [str(made["scout"].uuid), str(made["vault"].uuid)]}
    asked = client.post("/administration/agents/act/", marked | {"action": action})
    assert asked.status_code == 422
    if action == "enable":
        client.post("/administration/agents/act/", marked | {"action": "disable", "confirmed": "1"})
    client.post("/administration/agents/act/", marked | {"action": action, "confirmed": "1"})
    with wall.system("tests: look"):
        states = {one.archived_at is not None for one in Agent.objects.filter(name__in=["Scout", "Vault"])}
        assert states == {archived}
        done = Entry.objects.filter(action="agent.archived", actor_id=cast.ada.pk)
        assert {one.department_id for one in done} == {cast.marketing.pk, cast.finance.pk}


def test_what_was_run_is_not_deleted_and_that_is_said(made, cast, client_as):
    client = client_as(cast.ada)
    marked = {"marked": [str(made["scout"].uuid)], "action": "delete", "confirmed": "1"}
    page = client.post("/administration/agents/act/", marked, follow=True).content.decode()
    assert "archive it instead" in page
    client.post("/administration/teams/act/", marked | {"marked": [str(made["team"].uuid)]})
    with wall.system("tests: look"):
        assert Agent.objects.filter(pk=made["scout"].pk).exists()
        assert Entry.objects.filter(action="team.deleted").exists()


def test_opening_something_enters_its_department_and_leaves_a_trace(made, cast, client_as):
    client = client_as(cast.ada)
    opened = {"kind": "run", "uuid": str(made["failed"].uuid), "department": str(cast.finance.uuid)}
    answer = client.post("/administration/enter/", opened)
    assert client.get(answer["Location"]).status_code == 200
    with wall.system("tests: the trail"):
        assert Entry.objects.filter(action="department.entered", department_id=cast.finance.pk).exists()
    assert client.post("/administration/enter/", opened | {"kind": "user"}).status_code == 404
    assert client.post("/administration/enter/", opened | {"department": "x\0"}).status_code == 404


def test_a_name_with_markup_stays_text(cast, client_as):
    with wall.system("tests: a hostile name"):
        factories.agent(cast.alice, cast.marketing, name="<b onmouseover=x>Evil</b>")
    page = page_of(client_as(cast.ada), "agents/", q="Evil\0")
    assert "<b onmouseover" not in page
    assert "&lt;b onmouseover" in page


def test_a_test_mail_is_sent_and_trouble_is_said_in_words(cast, client_as, settings, monkeypatch):
    client = client_as(cast.ada)
    settings.EMAIL_HOST = "mail.example.org"
    assert (
        "took the mail for bob@example.org"
        in client.post("/administration/mail/", {"address": "bob@example.org"}).content.decode()
    )
    assert mail.outbox[0].to == ["bob@example.org"]
    settings.EMAIL_BACKEND, settings.EMAIL_HOST, settings.EMAIL_PORT = (
        "django.core.mail.backends.smtp.EmailBackend",
        "127.0.0.1",
        9,
    )
    answer = client.post("/administration/mail/", {"address": "bob@example.org"})
    assert answer.status_code == 422
    assert "Nothing listens at 127.0.0.1:9" in answer.content.decode()
    assert client.post("/administration/mail/", {"address": "bob\nBcc: x@example.org"}).status_code == 422
    with wall.system("tests: the trail"):
        assert [one.data["ok"] for one in Entry.objects.filter(action="mail.tested").order_by("id")] == [True, False]


def test_the_licences_of_all_packages_are_shown(cast, client_as):
    answer = client_as(cast.ada).get("/administration/about/")
    licences = {name: licence for name, _, licence in answer.context["packages"]}
    assert "BSD" in licences["Django"]
    assert len(licences) > 50
    # On a phone each is a card; in columns the licences would be squeezed out of sight.
    assert 'class="table cards' in answer.content.decode()

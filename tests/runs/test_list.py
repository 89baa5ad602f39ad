"""The list of runs: what it shows is said in its address, and the same filters hold on the page and in the API."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest
from channels.db import database_sync_to_async
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from audit.models import Entry
from mindloom import wall
from runs.models import Run, State
from tests import factories


@pytest.fixture
def made(cast, db):
    """Four runs that differ in one thing each from the first."""
    with wall.system("tests: runs to look for"):
        scout = factories.agent(cast.alice, cast.marketing, name="Scout")
        other = factories.agent(cast.alice, cast.marketing, name="Other")
        runs = {
            "first": factories.run(scout, cast.bob),
            "other": factories.run(other, cast.bob),
            "alice": factories.run(scout, cast.alice),
            "api": factories.run(scout, cast.bob, trigger="api"),
            "old": factories.run(scout, cast.bob),
        }
        long_ago = datetime.now(UTC) - timedelta(days=30)
        Run.objects.filter(pk=runs["old"].pk).update(queued_at=long_ago)
        return runs


NEWEST_FIRST = ("api", "alice", "other", "first", "old")
"""By time, not by number."""


def listed(client, made, **query):
    page = client.get("/runs/", query).content.decode()
    return {name for name, run in made.items() if f"run-{run.uuid}" in page}


def day(days_ago):
    return (datetime.now(UTC) - timedelta(days=days_ago)).date().isoformat()


def test_each_filter_leaves_out_what_differs(made, cast, client_as):
    client, scout = client_as(cast.bob), made["first"].agent
    assert listed(client, made) == set(made)
    assert listed(client, made, agent=scout.uuid) == set(made) - {"other"}
    assert listed(client, made, person=cast.bob.uuid) == set(made) - {"alice"}
    assert listed(client, made, trigger="api") == {"api"}
    assert listed(client, made, since=day(2)) == set(made) - {"old"}
    assert listed(client, made, until=day(20)) == {"old"}


def test_filters_hold_together_and_with_a_view(made, cast, client_as):
    found = listed(
        client_as(cast.bob), made, view="mine", agent=made["first"].agent.uuid, since=day(2), trigger="person"
    )
    assert found == {"first"}


@pytest.mark.parametrize("query", [{"trigger": "api"}, {"since": day(2)}, {"until": day(20)}])
def test_the_api_gives_the_same_rows(made, cast, client_as, query):
    api = APIClient()
    api.force_login(cast.bob, backend="accounts.backends.EmailBackend")
    rows = {row["uuid"] for row in api.get("/api/v1/runs", query).json()["results"]}
    assert {name for name, run in made.items() if str(run.uuid) in rows} == listed(client_as(cast.bob), made, **query)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"since": "yesterday"}, "From: Enter a valid date."),
        ({"trigger": "moon"}, "Trigger: Select a valid choice"),
        ({"agent": "x"}, "Agent: Enter a valid UUID."),
        ({"before": "x"}, "a page that does not exist"),
    ],
)
def test_a_wrong_value_is_said_and_nothing_is_shown_instead(made, cast, client_as, query, words):
    page = client_as(cast.bob).get("/runs/", query).content.decode()
    assert words in page
    assert listed(client_as(cast.bob), made, **query) == set()


def test_a_filter_that_is_set_can_be_taken_away(made, cast, client_as):
    page = client_as(cast.bob).get("/runs/", {"view": "mine", "trigger": "api", "since": day(2)}).content.decode()
    assert f'href="?view=mine&amp;since={day(2)}"' in page
    assert "Take the filter away: Trigger the API" in page


def test_pages_go_on_where_the_last_one_ended_and_keep_the_filters(made, cast, client_as):
    with wall.system("tests: many runs"):
        for _ in range(40):
            factories.run(made["first"].agent, cast.bob, trigger="api")
    client = client_as(cast.bob)
    first = client.get("/runs/", {"trigger": "api"})
    older = first.context["older"]
    assert "trigger=api" in older
    second = client.get(f"/runs/{older}")
    seen = [run.pk for run in first.context["runs"]] + [run.pk for run in second.context["runs"]]
    assert seen == sorted(seen, reverse=True)
    assert len(set(seen)) == 41
    assert second.context["older"] == ""


def test_nobody_finds_what_they_may_not_see(made, cast, client_as):
    assert listed(client_as(cast.mallory), made, agent=made["first"].agent.uuid) == set()
    page = client_as(cast.mallory).get("/runs/").content.decode()
    assert "Scout" not in page
    assert cast.bob.name not in page
    assert made["first"].state == State.QUEUED


async def exported(client, **query):
    answer = await client.get("/runs/export.csv", query)
    content = b"".join([part async for part in answer.streaming_content]).decode("utf-8-sig")
    return answer, list(csv.DictReader(io.StringIO(content)))


@pytest.fixture
def bob(cast, async_client):
    async_client.force_login(cast.bob, backend="accounts.backends.EmailBackend")
    return async_client


@pytest.mark.django_db(transaction=True)
async def test_the_list_is_taken_away_whole_and_filtered(made, bob, monkeypatch):
    monkeypatch.setattr("runs.stream.exports.PART", 2)
    answer, rows = await exported(bob)
    assert [row["uuid"] for row in rows] == [str(made[name].uuid) for name in NEWEST_FIRST]
    assert answer["Content-Disposition"] == 'attachment; filename="runs.csv"'
    _, rows = await exported(bob, trigger="api")
    assert [(row["name"], row["trigger"], row["state"]) for row in rows] == [("Scout", "api", "queued")]


@pytest.mark.django_db(transaction=True)
async def test_no_cell_of_it_is_a_formula(made, bob):
    def name_it():
        with wall.system("tests: a name that means harm"):
            Run.objects.filter(pk=made["first"].pk).update(spec={"name": "=1+1"})

    await database_sync_to_async(name_it)()
    _, rows = await exported(bob)
    assert "'=1+1" in {row["name"] for row in rows}


@pytest.mark.django_db(transaction=True)
async def test_taking_it_away_is_in_the_audit_trail_and_wrong_filters_are_said_on_the_page(made, bob):
    await exported(bob, trigger="api")
    answer = await bob.get("/runs/export.csv", {"trigger": "moon"})
    assert answer["Location"] == "/runs/?trigger=moon"

    def entries():
        with wall.system("tests: the audit trail"):
            return list(Entry.objects.filter(action="run.exported").values_list("data", flat=True))

    assert await database_sync_to_async(entries)() == [{"query": "trigger=api"}]


def test_a_list_that_reloads_stays_where_it_is_and_counts_what_is_new(made, cast, client_as):
    client = client_as(cast.bob)
    top = made["api"].pk
    page = client.get("/runs/").content.decode()
    assert f'hx-get="?top={top}"' in page
    with wall.system("tests: new runs"):
        new = [factories.run(made["first"].agent, cast.bob) for _ in range(2)]
        Run.objects.filter(pk=made["first"].pk).update(state=State.COMPLETED, finished_at=datetime.now(UTC))
    page = client.get("/runs/", {"top": top}).content.decode()

    assert "2 new runs" in page
    assert not any(f"run-{run.uuid}" in page for run in new)
    assert "Completed" in page.split(f"run-{made['first'].uuid}")[1].split("</tr>")[0]
    assert "new run" not in client.get("/runs/", {"top": top, "trigger": "api"}).content.decode()
    assert all(f"run-{run.uuid}" in client.get("/runs/").content.decode() for run in new)


def test_an_empty_list_tells_of_the_first_run(cast, db, client_as):
    client = client_as(cast.bob)
    assert 'hx-get="?top=0"' in client.get("/runs/").content.decode()
    with wall.system("tests: the first run"):
        factories.run(factories.agent(cast.alice, cast.marketing), cast.bob)
    assert "1 new run" in client.get("/runs/", {"top": "0"}).content.decode()


@pytest.mark.parametrize("address", ["/runs/", "/"])
def test_a_page_asks_the_database_as_often_for_many_runs_as_for_one(cast, db, client_as, address):
    client, counts = client_as(cast.bob), []
    with wall.system("tests: an agent"):
        scout = factories.agent(cast.alice, cast.marketing)
    for more in (1, 7):
        with wall.system("tests: more runs"):
            for _ in range(more):
                factories.run(scout, cast.bob, state=State.COMPLETED, finished_at=datetime.now(UTC))
        client.get(address)
        with CaptureQueriesContext(connection) as asked:
            client.get(address)
        counts.append(len(asked))
    assert counts[0] == counts[1]


def test_the_filters_are_offered_when_they_are_opened(made, cast, client_as):
    client = client_as(cast.bob)
    closed = client.get("/runs/").content.decode()
    assert 'hx-get="?filters=1"' in closed
    assert ">Scout</option>" not in closed
    assert ">Scout</option>" in client.get("/runs/", {"filters": "1"}).content.decode()
    # The addresses of other views and pages do not keep that they were open.
    chosen = client.get("/runs/", {"trigger": "api", "filters": "1"}).content.decode()
    assert '<option value="api" selected>' in chosen
    assert "Take the filter away: Trigger the API" in client.get("/runs/", {"trigger": "api"}).content.decode()
    assert (
        "filters=1"
        not in client.get("/runs/", {"filters": "1"}).content.decode().partition("<main")[2].partition("run-filters")[0]
    )


def test_marks_stay_when_the_list_reloads(made, cast, client_as):
    marked = made["api"]
    page = client_as(cast.bob).get("/runs/", {"top": "999999", "runs": str(marked.uuid)}).content.decode()
    [box] = [line for line in page.split("<input") if " checked" in line and 'name="runs"' in line]
    assert str(marked.uuid) in box

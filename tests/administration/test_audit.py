"""The audit trail for people and programs: who reads which entries, found by what, and taken away how."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta

import pytest
from channels.db import database_sync_to_async
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from audit.models import Entry
from audit.services import record
from mindloom import wall

MINE = {"changed", "published"}


def listed(client, made, **query):
    page = client.get("/audit/", query).content.decode()
    return {name for name, entry in made.items() if f'href="/audit/{entry.pk}/"' in page}


def api_of(person):
    client = APIClient()
    client.force_login(person, backend="accounts.backends.EmailBackend")
    return client


def test_managers_read_their_departments_trail_and_administrators_all(made, cast, client_as):
    assert listed(client_as(cast.alice), made) == MINE
    assert listed(client_as(cast.mallory), made) == {"finance"}
    assert listed(client_as(cast.ada), made) == set(made)
    assert client_as(cast.bob).get("/audit/").status_code == 403


def test_an_entry_of_another_department_is_not_there(made, cast, client_as):
    assert client_as(cast.mallory).get(f"/audit/{made['changed'].pk}/").status_code == 404
    assert client_as(cast.alice).get(f"/audit/{made['nobody'].pk}/").status_code == 404
    assert client_as(cast.alice).get(f"/audit/{made['changed'].pk}/").status_code == 200
    assert api_of(cast.mallory).get(f"/api/v1/audit/{made['changed'].pk}").status_code == 404


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"who": "alice@example.org"}, {"changed"}),
        ({"who": "ALICE@example.org"}, {"changed"}),
        ({"who": "Mindloom"}, {"nobody"}),
        ({"action": "agent.published"}, {"published", "finance"}),
        ({"action": "agent"}, {"changed", "published", "finance"}),
        ({"action": "agen"}, set()),
        ({"kind": "agent", "action": "agent.changed"}, {"changed"}),
        ({"until": (datetime.now(UTC) - timedelta(days=3)).date().isoformat()}, set()),
        (
            {"since": (datetime.now(UTC) - timedelta(days=3)).date().isoformat(), "who": "bob@example.org"},
            {"published"},
        ),
    ],
)
def test_each_filter_leaves_out_what_differs_on_the_page_and_in_the_api(made, cast, client_as, query, found):
    assert listed(client_as(cast.ada), made, **query) == found
    rows = {row["id"] for row in api_of(cast.ada).get("/api/v1/audit", query).json()["results"]}
    assert {name for name, entry in made.items() if entry.pk in rows} == found


def test_a_department_can_be_chosen_and_what_it_was_done_to(made, cast, client_as):
    client = client_as(cast.ada)
    assert listed(client, made, department=str(cast.finance.uuid)) == {"finance"}
    assert listed(client, made, target=made["changed"].target_id) == MINE
    # Another department's manager cannot choose it.
    assert listed(client_as(cast.alice), made, department=str(cast.finance.uuid)) == set()


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"since": "yesterday"}, "From: Enter a valid date."),
        ({"who": "a\0b"}, "Who: Null characters are not allowed."),
        ({"action": "x" * 81}, "Action: Ensure this value has at most 80"),
        ({"department": "x"}, "Department: Enter a valid UUID."),
        ({"before": "-1"}, "a page that does not exist"),
    ],
)
def test_a_wrong_filter_is_said_and_nothing_is_shown_instead(made, cast, client_as, query, words):
    page = client_as(cast.ada).get("/audit/", query).content.decode()
    assert words in page
    assert listed(client_as(cast.ada), made, **query) == set()


def test_the_api_refuses_wrong_filters(made, cast):
    answer = api_of(cast.ada).get("/api/v1/audit", {"who": "a\0b", "at_after": "soon"})
    assert answer.status_code == 400
    assert set(answer.json()["fields"]) == {"who", "at_after"}


def test_pages_go_on_where_the_last_one_ended_and_keep_the_filters(made, cast, client_as):
    with wall.system("tests: many entries"):
        for number in range(60):
            record(actor=cast.bob, action="thing.done", department_id=cast.marketing.pk, number=number)
    client = client_as(cast.alice)
    first = client.get("/audit/", {"action": "thing.done"})
    assert "action=thing.done" in first.context["older"]
    second = client.get(f"/audit/{first.context['older']}")
    seen = [one.pk for page in (first, second) for one, _ in page.context["entries"]]
    assert len(set(seen)) == 60
    assert seen == sorted(seen, reverse=True)
    assert second.context["older"] == ""


def test_an_entry_says_what_changed_and_where_it_came_from(made, cast, client_as):
    page = client_as(cast.alice).get(f"/audit/{made['changed'].pk}/").content.decode()
    assert '<td class="audit-value">Scot</td><td class="audit-value">Scout</td>' in page
    assert "10.9.8.7" in page
    assert f"/agents/{made['changed'].target_id}/" in page


def test_markup_in_what_somebody_typed_stays_text(made, cast, client_as):
    with wall.system("tests: a hostile name"):
        bad = record(
            actor=cast.bob, action="thing.done", department_id=cast.marketing.pk, name="<script>alert(1)</script>"
        )
    page = client_as(cast.alice).get(f"/audit/{bad.pk}/").content.decode()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_entries_say_by_which_door_and_program_they_came(made, cast, client_as):
    client_as(cast.alice).post("/departments/switch/", {"department": "marketing"}, headers={"user-agent": "Test/1.0"})
    client_as(cast.alice).post("/sign-out/", headers={"user-agent": "Test/1.0\0" + "x" * 400})
    with wall.system("tests: the trail"):
        entry = Entry.objects.filter(action="signout.completed").latest("id")
    assert entry.door == "page"
    assert entry.user_agent.startswith("Test/1.0")
    assert len(entry.user_agent) == 200


def test_the_page_asks_the_database_as_often_for_many_entries_as_for_one(made, cast, client_as):
    client, counts = client_as(cast.ada), []
    for more in (1, 30):
        with wall.system("tests: more"):
            for _ in range(more):
                record(actor=cast.bob, action="thing.done", department_id=cast.marketing.pk)
        client.get("/audit/")
        with CaptureQueriesContext(connection) as asked:
            client.get("/audit/")
        counts.append(len(asked))
    assert counts[0] == counts[1]


def test_an_administrators_look_at_all_departments_leaves_one_trace(made, cast, client_as):
    client = client_as(cast.ada)
    client.get("/audit/")
    client.get("/audit/")
    with wall.system("tests: the trail"):
        found = Entry.objects.filter(action="departments.looked_into", actor_id=cast.ada.pk)
        assert [one.data for one in found] == [{"what": "audit trail", "scope": "all departments"}]


@pytest.fixture
def alice(cast, async_client):
    async_client.force_login(cast.alice, backend="accounts.backends.EmailBackend")
    return async_client


async def exported(client, path, **query):
    answer = await client.get(path, query)
    return answer, b"".join([part async for part in answer.streaming_content]).decode("utf-8-sig")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("path", ["/audit/export.csv", "/api/v1/audit/export.csv"])
async def test_a_spreadsheet_has_all_entries_and_no_formula(made, cast, alice, monkeypatch, path):
    monkeypatch.setattr("administration.stream.PART", 2)

    def add():
        with wall.system("tests: names that mean harm"):
            for _ in range(5):
                record(actor=None, action="=1+1", department_id=cast.marketing.pk, cell="@SUM(A1)")

    await database_sync_to_async(add)()
    answer, content = await exported(alice, path)
    rows = list(csv.DictReader(io.StringIO(content)))
    assert answer["Content-Disposition"] == 'attachment; filename="audit.csv"'
    assert {row["action"] for row in rows} == {"agent.changed", "agent.published", "'=1+1", "audit.exported"}
    assert len(rows) == 8
    assert {row["department"] for row in rows} == {"Marketing"}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("path", ["/audit/export.jsonl", "/api/v1/audit/export.jsonl"])
async def test_lines_of_json_are_filtered_and_taking_them_away_is_in_the_trail(made, cast, alice, path):
    answer, content = await exported(alice, path, action="agent.changed")
    [row] = [json.loads(line) for line in content.splitlines()]
    assert answer["Content-Type"] == "application/x-ndjson"
    assert row["data"]["after"] == {"name": "Scout", "icon": "bot"}
    assert row["address"] == "10.9.8.7"

    wrong = await alice.get("/audit/export.csv", {"since": "x"})
    assert wrong["Location"] == "/audit/?since=x"
    assert (await alice.get("/audit/export.exe")).status_code == 404

    def noted():
        with wall.system("tests: the trail"):
            return Entry.objects.get(action="audit.exported")

    entry = await database_sync_to_async(noted)()
    assert entry.data == {"query": "action=agent.changed", "form": "jsonl"}
    assert entry.department_id == cast.marketing.pk

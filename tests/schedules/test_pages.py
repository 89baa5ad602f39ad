"""Pages of schedules: a rule becomes a schedule, what is wrong stands beside its field, and a week shows what ran and what will."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from agents.models import Agent
from agents.services import delete_agent
from audit.models import Entry
from mindloom import wall
from mindloom.web.errors import Conflict
from schedules import queries, services
from schedules.definition import times
from schedules.models import Schedule
from tests import factories
from tests.schedules.conftest import DAY, HOUR, NOON, again, end_runs, ledger, runs_of

FORM = {
    "name": "Morning look",
    "kind": "weekly",
    "days": ["1", "4"],
    "at": "07:00",
    "time_zone": "Europe/Brussels",
    "input": "Look around.",
    "overlap": "skip",
    "missed": "latest",
    "catch_up_minutes": "720",
    "pause_after": "3",
}


@pytest.fixture
def planned(agent, cast):
    with wall.system("tests: a schedule of Bob's"):
        return factories.schedule(agent, cast.bob)


def page_of(client, address, **query):
    return client.get(address, query).content.decode()


def test_a_schedule_is_made_from_the_form(agent, cast, client_as):
    client = client_as(cast.bob)
    answer = client.post(f"/schedules/new/?agent={agent.uuid}", FORM, follow=True)

    assert "is made. Its first run starts at its next time." in answer.content.decode()
    with wall.tenant([cast.marketing.pk]):
        made = Schedule.objects.get()
    assert made.rule == {"kind": "weekly", "days": [1, 4], "at": "07:00"}
    assert (made.owner, made.agent_id, made.input) == (cast.bob, agent.pk, "Look around.")
    assert made.next_at > datetime.now(UTC)
    assert "Every Monday and Thursday at 07:00" in page_of(client, "/schedules/")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"name": ""}, "This field is required"),
        ({"days": []}, "Choose at least one day."),
        ({"at": ""}, "Enter a time of the day like 07:00."),
        ({"at": "25:00"}, "Enter a time of the day like 07:00."),
        ({"kind": "cron", "expression": "every day"}, "Five fields are needed"),
        ({"kind": "interval", "count": "0", "unit": "hours"}, "Enter a whole number from 1."),
        ({"kind": "interval", "count": "", "unit": "hours"}, "Enter a whole number from 1."),
        ({"time_zone": "Mars/Base"}, "Select a valid choice"),
        ({"input": ""}, "Say what the agent should work on."),
        ({"starts_at": "2030-01-01T00:00", "ends_at": "2029-01-01T00:00"}, "The end must be after the start."),
        ({"ends_at": "2020-01-01T00:00"}, "The end must be after the start."),
        ({"catch_up_minutes": "99999999"}, "Enter a whole number from 0 to 10,080."),
        ({"not_after": "noon"}, "Enter a time of the day like 07:00."),
    ],
)
def test_what_is_wrong_stands_beside_its_field_and_nothing_is_lost(agent, cast, client_as, change, sentence):
    answer = client_as(cast.bob).post(f"/schedules/new/?agent={agent.uuid}", FORM | change)
    page = answer.content.decode()

    assert answer.status_code == 422
    assert sentence in page
    assert change.get("name", FORM["name"]) in page
    with wall.tenant([cast.marketing.pk]):
        assert not Schedule.objects.exists()


def test_the_next_times_are_shown_while_the_form_is_filled_in(cast, db, client_as):
    client = client_as(cast.bob)
    shown = client.post("/schedules/next-times/", FORM | {"kind": "daily", "at": "02:30"}).content.decode()
    assert "Every day at 02:30" in shown
    assert shown.count("<tr>") == 11
    assert "comes twice: it counts the first time" in shown
    assert "Choose at least one day." in client.post("/schedules/next-times/", FORM | {"days": []}).content.decode()


@pytest.mark.parametrize("start", ["0001-01-01T00:00", "1999-12-31T23:59", "9001-01-01T00:00", "9999-12-31T23:59"])
def test_a_start_beyond_all_calendars_is_a_sentence_not_a_failure(cast, client_as, start):
    client, sentence = client_as(cast.bob), "Enter a date and a time between the years 2000 and 9000."
    for zone in ("Pacific/Auckland", "America/New_York"):
        form = FORM | {"starts_at": start, "time_zone": zone}
        assert sentence in client.post("/schedules/next-times/", form).content.decode()
        body = {"rule": {"kind": "daily", "at": "07:00"}, "time_zone": zone, "starts_at": f"{start}:00Z"}
        answer = client.post("/api/v1/schedules/next-times", body, content_type="application/json")
        assert (answer.status_code, answer.json()["fields"]) == (400, {"starts_at": [sentence]})


def test_a_paused_schedule_goes_on_and_the_audit_trail_has_it(planned, cast, client_as):
    client = client_as(cast.bob)
    address = f"/schedules/{planned.uuid}/"
    assert "Paused by Bob." in client.post(f"{address}pause/", follow=True).content.decode()
    assert "goes on with its next time" in client.post(f"{address}resume/", follow=True).content.decode()
    with wall.system("tests: the audit trail"):
        actions = list(
            Entry.objects.filter(action__startswith="schedule.").order_by("pk").values_list("action", flat=True)
        )
    assert actions == ["schedule.paused", "schedule.resumed"]


def test_times_that_passed_while_it_was_paused_have_rows_when_it_goes_on(planned, cast, client_as):
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=3)
    with wall.tenant([cast.marketing.pk]):
        Schedule.objects.filter(pk=planned.pk).update(
            rule={"kind": "interval", "count": 1, "unit": "hours"}, starts_at=hour, next_at=hour, paused_at=hour
        )
    client_as(cast.bob).post(f"/schedules/{planned.uuid}/resume/")
    assert [outcome for _, outcome in ledger(planned)] == ["missed"] + ["paused"] * 4
    assert again(planned).next_at > datetime.now(UTC)


def test_it_is_run_by_hand(planned, cast, client_as):
    answer = client_as(cast.alice).post(f"/schedules/{planned.uuid}/run/")
    [run] = runs_of(planned)
    assert answer["Location"] == f"/runs/{run.uuid}/"
    # A manager presses the button; the rights are those of the owner.
    assert (run.started_by, [outcome for _, outcome in ledger(planned)]) == (cast.bob, ["missed", "by_hand"])


def test_a_manager_takes_over_and_deletes(planned, cast, client_as):
    client = client_as(cast.alice)
    client.post(f"/schedules/{planned.uuid}/take-over/")
    assert again(planned).owner == cast.alice
    client.post(f"/schedules/{planned.uuid}/delete/")
    with wall.tenant([cast.marketing.pk]):
        assert not Schedule.objects.exists()


def test_its_form_shows_what_it_is_and_changes_it(planned, cast, client_as):
    client = client_as(cast.bob)
    page = page_of(client, f"/schedules/{planned.uuid}/edit/")
    assert 'value="Morning report"' in page
    assert 'value="07:00"' in page
    client.post(f"/schedules/{planned.uuid}/edit/", FORM | {"kind": "monthly", "day": "last", "at": "09:30"})
    changed = again(planned)
    assert changed.rule == {"kind": "monthly", "day": "last", "at": "09:30"}
    assert changed.time_zone == "Europe/Brussels"
    assert changed.starts_at == planned.starts_at


@pytest.mark.parametrize(("owner", "place"), [("mallory", "finance"), ("alice", "marketing")])
def test_of_what_is_no_longer_in_sight_only_the_times_are_changed(cast, client_as, owner, place):
    with wall.system("tests: an agent that asks for nothing but a variable is shared, then no more"):
        asks = {"variables": [{"name": "topic", "type": "text", "label": "Topic"}]}
        whose = getattr(cast, owner), getattr(cast, place)
        agent = factories.agent(*whose, name="Far scout", visibility="everyone", definition=asks)
        given = {"name": "From afar", "rule": {"kind": "daily", "at": "07:00"}, "variables": {"topic": "Tea"}}
        made = services.create_schedule(
            actor=cast.bob, target=agent, department_id=cast.marketing.pk, time_zone="UTC", **given
        )
        Agent.objects.filter(pk=agent.pk).update(visibility="private")
    client, address = client_as(cast.bob), f"/schedules/{made.uuid}/edit/"

    page = page_of(client, address)
    assert ("What it is asked" in page, "Topic" in page) == (False, False)
    times_only = {name: value for name, value in FORM.items() if name != "input"}
    assert client.post(address, times_only).status_code == 302
    changed = again(made)
    assert (changed.rule["days"], changed.input, changed.variables) == ([1, 4], "", {"topic": "Tea"})


def test_a_week_shows_what_was_and_what_comes(planned, cast, client_as):
    client = client_as(cast.bob)
    assert "Morning report" in page_of(client, "/schedules/week/")
    for odd in ("9999-12-31", "0001-01-01", "yesterday"):
        assert client.get("/schedules/week/", {"from": odd}).status_code == 200


def test_a_week_works_out_no_more_than_it_shows(schedule, clock, cast, client_as, monkeypatch):
    for number in range(3):
        schedule(name=f"Each minute {number}", rule={"kind": "cron", "expression": "* * * * *"})
    worked_out = []

    def noted(*given):
        for moment in times(*given):
            worked_out.append(moment)
            yield moment

    monkeypatch.setattr(queries, "times", noted)
    client, week = client_as(cast.bob), {"from": f"{NOON + 7 * DAY:%Y-%m-%d}"}

    assert page_of(client, "/schedules/week/", **week).count("and more") == 3 * 7
    assert len(worked_out) == 3 * 7 * (queries.MOST_A_DAY + 1)
    asked = []
    for name in ("One more", "And another"):
        schedule(name=name, rule={"kind": "daily", "at": "07:00"})
        with CaptureQueriesContext(connection) as found:
            page_of(client, "/schedules/week/", **week)
        asked.append(len(found))
    assert asked[0] == asked[1]


def test_a_week_counts_what_was_and_what_comes_as_one(schedule, clock, cast, client_as):
    made = schedule(rule={"kind": "cron", "expression": "0 * * * *"})
    for _ in range(3):
        clock.tick()
        end_runs()
        clock.tick(HOUR)
    page = page_of(client_as(cast.bob), "/schedules/week/", **{"from": f"{NOON:%Y-%m-%d}"})

    assert page.count(f"/schedules/{made.uuid}/") == 7
    first = page.partition('<ol class="sched-week">')[2].split('<li class="card')[1]
    assert [one in first for one in ("12:00", "13:00", "15:00", "16:00", "and more")] == [True, True, True, False, True]


def test_an_agents_page_leads_to_its_schedules(planned, agent, cast, client_as):
    client = client_as(cast.bob)
    address = f"/schedules/of-agent/{agent.uuid}/"
    assert f'hx-get="{address}"' in page_of(client, f"/agents/{agent.uuid}/")
    card = page_of(client, address)
    assert "Every day at 07:00" in card
    assert f"/schedules/new/?agent={agent.uuid}" in card
    assert f"?agent={agent.uuid}" not in page_of(client_as(cast.carol), address)


def test_others_departments_schedules_are_not_there(planned, cast, client_as):
    client = client_as(cast.mallory)
    assert "Morning report" not in page_of(client, "/schedules/")
    assert client.get(f"/schedules/{planned.uuid}/").status_code == 404


def test_of_a_private_agent_only_its_owner_and_managers_know(planned, agent, cast, client_as):
    with wall.system("tests: the agent becomes private"):
        type(agent).objects.filter(pk=agent.pk).update(visibility="private")
    assert client_as(cast.carol).get(f"/schedules/{planned.uuid}/").status_code == 404
    for person in (cast.bob, cast.alice):
        assert client_as(person).get(f"/schedules/{planned.uuid}/").status_code == 200


def test_what_a_schedule_runs_is_not_deleted_under_it(cast, agent, schedule):
    schedule()
    with wall.tenant([cast.marketing.pk]), pytest.raises(Conflict, match="A schedule runs “Scout”"):
        delete_agent(actor=cast.alice, agent=agent)


def test_a_run_leads_to_the_schedule_that_started_it(cast, client, schedule, clock):
    made = schedule()
    clock.tick()
    [run] = runs_of(made)
    client.force_login(cast.bob)
    way = f"/schedules/of-run/{run.uuid}/"

    assert way in client.get(f"/runs/{run.uuid}/").text
    assert client.get(way).headers["Location"] == f"/schedules/{made.uuid}/"
    client.force_login(cast.mallory)
    assert client.get(way).status_code == 404

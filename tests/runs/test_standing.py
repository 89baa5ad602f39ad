"""Why a run is not running: one reason for each case, the same on its page and in the API."""

from __future__ import annotations

import html
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from integrations.providers import limited as limited_module
from integrations.providers import limiter
from integrations.providers import shared as shared_module
from mindloom import wall
from runs.models import Approval, Priority, Run, State, Trigger
from runs.queries import Why, standing
from runs.worker import life
from tests import factories


@pytest.fixture(autouse=True)
def _quiet_redis(settings):
    """What other tests left there is not seen."""
    settings.REDIS_PREFIX = f"standing-{uuid4()}"
    limited_module.look_again()
    yield
    limited_module.look_again()


@pytest.fixture
def house(cast, transactional_db):
    """An agent of Marketing and one of Finance; the test sees both."""
    with wall.system("tests: look behind the scenes"):
        yield {
            "marketing": factories.agent(cast.alice, cast.marketing),
            "finance": factories.agent(cast.mallory, cast.finance, name="Counter"),
        }


@pytest.fixture
def worker():
    """A worker with 16 places that has just given a sign of life."""
    life.beat()


def queued(house, by, department="marketing", **fields):
    return Run.objects.get(pk=factories.run(house[department], by, **fields).pk)


def under_way(house, by, count, department="marketing", **fields):
    for _ in range(count):
        Run.objects.filter(pk=factories.run(house[department], by, **fields).pk).update(state=State.RUNNING)


def ended(house, by, seconds):
    run = factories.run(house["marketing"], by)
    now = datetime.now(UTC)
    Run.objects.filter(pk=run.pk).update(
        state=State.COMPLETED, started_at=now - timedelta(seconds=seconds), finished_at=now
    )


def test_without_a_worker_an_administrator_must_act(cast, house):
    why = standing(queued(house, cast.bob))

    assert why.code == Why.NO_WORKER
    assert why.is_trouble
    assert "make worker" in why.action


def test_with_a_free_place_it_is_about_to_start(cast, house, worker):
    assert standing(queued(house, cast.bob)).code == Why.STARTING


def test_before_its_time_it_says_when(cast, house):
    at = datetime.now(UTC) + timedelta(hours=1)
    why = standing(queued(house, cast.bob, not_before=at))

    assert (why.code, why.until) == (Why.NOT_YET, at)


def test_a_department_at_its_limit_is_told_from_an_agent_and_a_person(cast, house, worker, settings):
    type(cast.marketing).objects.filter(pk=cast.marketing.pk).update(max_running=3)
    under_way(house, cast.alice, 3)
    for _ in range(3):
        ended(house, cast.bob, 30)
    run = queued(house, cast.bob)
    why = standing(run)

    assert why.code == Why.DEPARTMENT_LIMIT
    assert (
        why.message == "Marketing has as many runs under way as it may: 3. This one starts when one of them has ended."
    )
    assert why.estimate == 10
    assert standing(queued(house, cast.bob)).estimate == 20

    type(cast.marketing).objects.filter(pk=cast.marketing.pk).update(max_running=None)
    settings.RUNS_PER_AGENT = 3
    assert standing(Run.objects.get(pk=run.pk)).code == Why.AGENT_LIMIT
    settings.RUNS_PER_AGENT, settings.RUNS_PER_PERSON = 32, 3
    assert standing(Run.objects.get(pk=run.pk)).code == Why.STARTING
    mine = standing(queued(house, cast.alice))
    assert mine.code == Why.PERSON_LIMIT
    assert mine.message.startswith(f"{cast.alice.name} has")


def test_schedules_are_told_of_the_share_that_is_kept_for_people(cast, house, worker, settings):
    settings.RUNS_PER_DEPARTMENT = 4
    under_way(house, cast.alice, 3)
    run = queued(house, cast.alice, trigger=Trigger.SCHEDULE, priority=Priority.BACKGROUND)

    assert "3 without the places kept for people, of 4" in standing(run).message


def test_a_provider_that_limits_us_is_named_with_the_time(cast, house, worker):
    run = queued(house, cast.bob, provider_key=7_000_000_011)
    limiter.hold(7_000_000_011, 30)
    why = standing(run)

    assert why.code == Why.PROVIDER_LIMIT
    assert 25 < (why.until - datetime.now(UTC)).total_seconds() <= 30.1
    assert run.spec["model"]["kind"] in why.message


def test_when_all_places_are_taken_it_says_how_many(cast, house, worker, settings):
    under_way(house, cast.mallory, settings.WORKER_CONCURRENCY, "finance")

    why = standing(queued(house, cast.bob))
    assert why.code == Why.WORKERS_BUSY
    assert f"All {settings.WORKER_CONCURRENCY} places" in why.message


def test_with_redis_away_the_workers_cannot_be_told(cast, house, settings, monkeypatch):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    shared_module._client.cache_clear()
    monkeypatch.setattr(shared_module, "shared", shared_module.Shared())
    for module in ("runs.queries.workers.shared", "integrations.providers.limited.shared"):
        monkeypatch.setattr(module, shared_module.shared)
    try:
        assert standing(queued(house, cast.bob)).code == Why.EXECUTOR_UNAVAILABLE
        assert limited_module.limited() == {}
    finally:
        shared_module._client.cache_clear()


def test_a_run_that_asks_says_who_must_decide_and_one_that_ended_nothing(cast, house):
    run = queued(house, cast.bob)
    Run.objects.filter(pk=run.pk).update(state=State.WAITING, reason_message="Somebody has to approve it.")
    run.refresh_from_db()

    assert (standing(run).code, standing(run).message) == (Why.PERSON_MUST_DECIDE, "Somebody has to approve it.")
    run.state = State.COMPLETED
    assert standing(run) is None
    assert Approval.objects.count() == 0


def test_the_page_and_the_api_say_the_same(cast, house, client_as):
    run = queued(house, cast.bob)
    page = html.unescape(client_as(cast.bob).get(f"/runs/{run.uuid}/").content.decode())
    told = client_as(cast.bob).get(f"/api/v1/runs/{run.uuid}").json()["standing"]

    assert told["code"] == "no_worker"
    assert told["message"] in page
    assert told["action"] in page

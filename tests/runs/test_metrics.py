"""The figures of a run: the page, the header, the API. All are sums of the ledger."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.urls import reverse
from rest_framework.test import APIClient

from integrations import services as integrations
from integrations.models import Model, ModelProvider
from mindloom import wall
from mindloom.engine.events import (
    ModelCalled,
    RunCompleted,
    RunResumed,
    RunStarted,
    RunWaiting,
    ToolCallFailed,
    ToolCallStarted,
)
from runs.models import Guard, State, append
from runs.views.metrics import times_of
from runs.worker.endings import terminal_changes
from tests import factories

BEGAN = datetime.now(UTC) - timedelta(minutes=10)


def at(seconds):
    return BEGAN + timedelta(seconds=seconds)


@pytest.fixture
def api():
    def client_of(person):
        client = APIClient()
        client.force_login(person, backend="accounts.backends.EmailBackend")
        return client

    return client_of


@pytest.fixture
def run(cast, db):
    """Bob's run: 2 s in the queue, 3 s at work, 60 s waiting for a person, 1 s queued, 4 s at work; one call without a price."""
    with wall.system("tests: a run with figures"):
        provider = ModelProvider.objects.create(name="Acme", kind="openai_like", base_url="https://acme.example")
        model = Model.objects.create(provider=provider, model_id="large", label="Large")
        integrations.add_price(
            actor=cast.ada, model=model, valid_from=at(-9999), input_price=Decimal(2), output_price=Decimal(8)
        )
        run = factories.run(factories.agent(cast.alice, cast.marketing), cast.bob)
        type(run).objects.filter(pk=run.pk).update(queued_at=at(0))
        call = {"provider": "Acme", "model": "large", "turn": 1, "duration_ms": 900, "first_token_ms": 100}
        known = ModelCalled(
            **call,
            model_ref=str(model.uuid),
            tokens_in=1000,
            tokens_out=500,
            tokens_cached=200,
            source=("Desk", "Writer"),
        )
        unknown = ModelCalled(**call, source=("Desk",), error="It broke off.")
        tool = {"call_id": "c", "tool": "send_mail", "source": ("Desk",)}
        append(
            run.pk,
            [
                RunStarted(worker="w", attempt=1, at=at(2)),
                known,
                unknown,
                ToolCallStarted(arguments={}, effect="sends", **tool),
                ToolCallFailed(message="No.", duration_ms=70, **tool),
                RunWaiting(reason="waiting_for_person", message="x", at=at(5)),
                RunResumed(at=at(65)),
                RunStarted(worker="w", attempt=2, at=at(66)),
            ],
            guard=Guard(states=(State.QUEUED,)),
            started_at=at(2),
        )
        append(
            run.pk,
            [RunCompleted(output="Done.", at=at(70))],
            guard=Guard(states=(State.QUEUED,)),
            finished_at=at(70),
            **terminal_changes(RunCompleted(output="Done.")),
        )
        run.refresh_from_db()
        yield run


def test_time_is_told_apart_by_what_it_was_spent_on(run):
    times = times_of(run)
    assert (times.queued_ms, times.worked_ms, times.waited_ms) == (3_000, 7_000, 60_000)
    assert [spell.kind for spell in times.spells] == ["queued", "worked", "waited", "queued", "worked"]


def test_the_page_says_what_was_used_and_what_is_not_known(run, cast, client_as):
    page = client_as(cast.bob).get(reverse("runs:metrics", args=[run.uuid])).content.decode()
    assert "$0.0060 + unpriced" in page
    assert "1 call without a known cost" in page
    assert "200 of them cached" in page
    assert "Waiting for people 1:00" in page
    assert "send_mail" in page


def test_the_header_has_the_cost_too(run, cast, client_as):
    assert "$0.0060 + unpriced" in client_as(cast.bob).get(reverse("runs:detail", args=[run.uuid])).content.decode()


def test_a_run_that_asked_no_model_says_so(cast, client_as, in_marketing):
    run = factories.run(factories.agent(cast.alice, cast.marketing), cast.bob)
    assert "No model was asked" in client_as(cast.bob).get(reverse("runs:metrics", args=[run.uuid])).content.decode()


def test_the_api_has_the_totals_and_the_rows_behind_them(run, cast, api):
    client = api(cast.bob)
    found = client.get(reverse("api:run", args=[run.uuid])).json()
    assert (found["cost"], found["unpriced_calls"], found["tool_failures"]) == ("0.006000000000", 1, 1)
    rows = client.get(reverse("api:run_usage", args=[run.uuid])).json()["results"]
    assert [(row["cost"], row["failed"], row["source"]) for row in rows] == [
        ("0.006000000000", False, ["Desk", "Writer"]),
        (None, True, ["Desk"]),
    ]


@pytest.mark.parametrize(("by", "names"), [("agent", {"Scout"}), ("person", {"Bob"}), ("model", {"Acme"})])
def test_a_department_s_use_is_grouped(run, cast, api, by, names):
    found = api(cast.alice).get(reverse("api:usage"), {"by": by}).json()
    assert found["total"]["cost"] == "0.006000000000"
    assert found["total"]["unpriced_calls"] == 1
    assert sum(Decimal(group["cost"]) for group in found["groups"]) == Decimal("0.006")
    assert len(found["groups"]) == 1


def test_a_time_bounds_what_is_counted(run, cast, api):
    later = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    assert api(cast.alice).get(reverse("api:usage"), {"since": later}).json()["total"]["calls"] == 0
    assert api(cast.alice).get(reverse("api:usage"), {"by": "moon"}).status_code == 400


def test_others_count_nothing_of_it(run, cast, api):
    assert api(cast.carol).get(reverse("api:usage")).json()["total"]["calls"] == 0
    assert api(cast.mallory).get(reverse("api:usage")).json()["total"]["calls"] == 0

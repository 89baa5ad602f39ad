"""The ledger: each request to a model is one row, every total is a sum of rows, and what is not known is said."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from integrations import services as integrations
from integrations.models import Model, ModelProvider
from mindloom import wall
from mindloom.engine.events import ModelCalled, RunCancelled, RunCompleted, RunFailed
from runs import worker
from runs.models import Guard, Run, State, UsageRecord, append
from runs.worker.claim import claim
from runs.worker.handback import hand_back
from tests import factories

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
QUEUED = Guard(states=(State.QUEUED,))
ENDS = [RunCompleted(output="x"), RunFailed(kind="timeout", message="x"), RunCancelled(message="x")]


@pytest.fixture
def priced(cast, seeing_all):
    """A model that cost 1 and 4 for a million tokens, and 2 and 8 since November."""
    model = Model.objects.create(provider=provider(), model_id="large", label="Large")
    for begins, price in ((datetime(2026, 1, 1, tzinfo=UTC), 1), (NOW - timedelta(hours=1), 2)):
        integrations.add_price(
            actor=cast.ada, model=model, valid_from=begins, input_price=Decimal(price), output_price=Decimal(4 * price)
        )
    return model


def provider():
    found, _ = ModelProvider.objects.get_or_create(
        name="Acme", defaults={"kind": "openai_like", "base_url": "https://acme.example"}
    )
    return found


def called(model=None, at=NOW, **fields):
    values = {"tokens_in": 1_000_000, "tokens_out": 500_000} | fields
    ref = str(model.uuid) if model is not None else ""
    return ModelCalled(provider="Acme", model="large", model_ref=ref, turn=1, duration_ms=10, at=at, **values)


@pytest.fixture
def run(cast, seeing_all):
    return factories.run(factories.agent(cast.alice, cast.marketing), cast.bob)


def written(run, *events):
    append(run.pk, list(events), guard=QUEUED)
    run.refresh_from_db()
    return list(UsageRecord.objects.filter(run=run).order_by("seq"))


def test_a_call_costs_what_was_valid_when_it_was_made(run, priced):
    before, after = written(run, called(priced, at=NOW - timedelta(hours=2)), called(priced))
    assert (before.cost, after.cost) == (Decimal(3), Decimal(6))
    assert (run.cost, run.unpriced_calls) == (Decimal(9), 0)


def test_a_call_before_the_first_price_is_unpriced_and_not_free(run, priced):
    [record] = written(run, called(priced, at=datetime(2025, 1, 1, tzinfo=UTC)))
    assert record.cost is None
    assert (run.cost, run.unpriced_calls) == (Decimal(0), 1)


@pytest.mark.parametrize("unknown", [{"tokens_in": None}, {"tokens_out": None}])
def test_a_call_of_which_the_provider_told_no_tokens_is_unpriced(run, priced, unknown):
    [record] = written(run, called(priced, **unknown))
    assert record.cost is None
    assert run.unpriced_calls == 1


def test_a_model_without_a_price_and_one_that_nobody_knows_are_unpriced(run):
    model = Model.objects.create(provider=provider(), model_id="new", label="New")
    assert [one.cost for one in written(run, called(model), called())] == [None, None]


@pytest.mark.parametrize("tokens", [{}, {"tokens_in": None, "tokens_out": None}])
def test_the_offline_model_is_free(run, tokens):
    [record] = written(run, called(factories.offline_model(), **tokens))
    assert record.cost == 0
    assert run.unpriced_calls == 0


def test_cached_tokens_cost_their_own_price(run, cast, priced):
    integrations.add_price(
        actor=cast.ada,
        model=priced,
        valid_from=NOW - timedelta(minutes=1),
        input_price=Decimal(10),
        cached_price=Decimal(1),
        output_price=Decimal(0),
    )
    [record] = written(run, called(priced, tokens_cached=400_000))
    assert record.cost == Decimal("6.4")
    assert run.tokens_cached == 400_000


def test_a_fraction_of_a_cent_is_not_lost(run, priced):
    [record] = written(run, called(priced, tokens_in=1, tokens_out=0))
    assert record.cost == Decimal("0.000002")


def test_a_row_never_changes_and_stays_when_the_run_goes(run, priced, cast):
    [record] = written(run, called(priced))
    with pytest.raises(IntegrityError), transaction.atomic():
        UsageRecord.objects.filter(pk=record.pk).update(cost=0)
    assert UsageRecord.objects.filter(pk=record.pk).delete()[0] == 0
    worker.remove_runs([run.pk])
    record.refresh_from_db()
    assert (record.run_id, record.cost) == (None, Decimal(6))


def test_a_price_is_not_changed_and_only_a_coming_one_is_taken_back(cast, priced):
    price = priced.prices.order_by("valid_from").first()
    with pytest.raises(IntegrityError), transaction.atomic():
        priced.prices.update(input_price=0)
    with pytest.raises(Exception, match="holds already"):
        integrations.remove_price(actor=cast.ada, price=price)


def test_people_see_their_own_and_managers_their_department(run, priced, cast):
    written(run, called(priced))
    seen = {
        name: UsageRecord.objects.visible_to(getattr(cast, name)).totals().calls
        for name in ("alice", "bob", "carol", "mallory")
    }
    assert seen == {"alice": 1, "bob": 1, "carol": 0, "mallory": 0}


CALLS = st.builds(
    dict,
    model=st.sampled_from(["priced", "unpriced", "gone"]),
    tokens_in=st.one_of(st.none(), st.integers(0, 10**9)),
    tokens_out=st.one_of(st.none(), st.integers(0, 10**9)),
    tokens_cached=st.one_of(st.none(), st.integers(0, 10**6)),
    hours=st.integers(-2, 2),
    error=st.sampled_from(["", "It broke."]),
    source=st.sampled_from([("Desk",), ("Desk", "Writer"), ("Desk", "Planner")]),
)


@given(
    batches=st.lists(st.tuples(st.integers(0, 2), st.booleans(), st.lists(CALLS, max_size=4)), max_size=8),
    end=st.sampled_from(ENDS),
)
@settings(max_examples=40, suppress_health_check=list(HealthCheck))
def test_ledger_run_and_department_add_up_to_the_same(cast, priced, batches, end):
    """However requests of several runs of two departments come in, whatever workers vanish, and however the runs end."""
    with transaction.atomic():
        before = totals_of(cast)
        runs = [*runs_of(cast.alice, cast.marketing, 2), *runs_of(cast.mallory, cast.finance, 1)]
        free = Model.objects.get_or_create(provider=provider(), model_id="free", defaults={"label": "Free"})[0]
        models = {"priced": priced, "unpriced": free, "gone": None}
        for number, vanishes, calls in batches:
            events = [
                called(
                    models[one["model"]],
                    at=NOW + timedelta(hours=one["hours"]),
                    **{name: one[name] for name in ("tokens_in", "tokens_out", "tokens_cached", "error", "source")},
                )
                for one in calls
            ]
            run, fence = claim(runs[number].pk)
            append(run.pk, events, guard=Guard(states=(State.RUNNING,), fence=fence))
            hand_back(run, fence, "The worker is gone.", counts=False, events=events[:1] if vanishes else ())
        for run in runs:
            worker.end(run.pk, end, QUEUED)
            run.refresh_from_db()
            totals = UsageRecord.objects.filter(run=run).totals()
            assert (totals.cost, totals.unpriced_calls) == (run.cost, run.unpriced_calls)
            assert (totals.tokens_in, totals.tokens_out) == (run.tokens_in, run.tokens_out)
            assert totals.tokens_cached == run.tokens_cached
            assert totals.calls == run.model_calls
        after = totals_of(cast)
        for department, then in before.items():
            own = [run for run in runs if run.department_id == department]
            assert after[department].cost - then.cost == sum(run.cost for run in own)
            assert after[department].unpriced_calls - then.unpriced_calls == sum(run.unpriced_calls for run in own)
        transaction.set_rollback(True)


def runs_of(owner, department, count):
    agent = factories.agent(owner, department, name=f"Agent {factories.Agent.objects.count()}")
    return [factories.run(agent, owner) for _ in range(count)]


def totals_of(cast):
    """What each department's manager sees as its total."""
    people = {cast.marketing.pk: cast.alice, cast.finance.pk: cast.mallory}
    return {department: UsageRecord.objects.visible_to(user).totals() for department, user in people.items()}


def test_the_ledger_is_behind_the_wall(run, priced, cast):
    written(run, called(priced))
    with wall.tenant([cast.finance.pk]):
        assert UsageRecord.objects.count() == 0
        assert Run.objects.filter(pk=run.pk).count() == 0

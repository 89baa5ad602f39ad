"""Two runs side by side."""

from __future__ import annotations

import pytest
from django.utils import timezone

from mindloom.engine.events import ModelCalled, RunCompleted, ToolCallStarted
from runs.models import Guard, State, append
from runs.worker.endings import terminal_changes
from tests import factories

QUEUED = Guard(states=(State.QUEUED,))


def ended(run, output, *events):
    done = RunCompleted(output=output)
    append(run.pk, [*events, done], guard=QUEUED, finished_at=timezone.now(), **terminal_changes(done))
    return run


@pytest.fixture
def two(cast, in_marketing):
    agent = factories.agent(cast.alice, cast.marketing)
    called = ModelCalled(provider="Acme", model="large", turn=1, duration_ms=900, tokens_in=10, tokens_out=5)
    looked = ToolCallStarted(call_id="c", tool="look", arguments={}, effect="reads")
    first = ended(factories.run(agent, cast.bob, input="Plan for May"), "Alpha\nBeta", called)
    second = ended(
        factories.run(agent, cast.bob, input="Plan for June", retry_of=first), "Alpha\nGamma", called, looked, called
    )
    return first, second


def page(client, **query):
    answer = client.get("/runs/compare/", query)
    return answer.status_code, answer.content.decode()


def test_both_are_shown_with_what_differs(two, cast, client_as):
    status, text = page(client_as(cast.bob), a=two[0].uuid, b=two[1].uuid)
    assert status == 200
    assert "<del>" in text
    assert "<ins>" in text
    assert "May" in text
    assert "June" in text
    assert "Gamma" in text
    assert "look" in text
    assert "×1" in text


def test_a_repeated_run_is_compared_with_the_one_it_repeats(two, cast, client_as):
    assert f"Compare {two[1].number} and {two[0].number}" in page(client_as(cast.bob), a=two[1].uuid)[1]


def test_another_one_is_chosen_from_a_list(two, cast, client_as):
    _, text = page(client_as(cast.bob), a=two[0].uuid)
    assert "Choose another run above." in text
    assert f'value="{two[1].uuid}"' in text


def test_what_is_the_same_is_said(two, cast, client_as):
    _, text = page(client_as(cast.bob), a=two[0].uuid, b=two[0].uuid)
    assert "Both were asked the same." in text
    assert "Both answered the same." in text


@pytest.mark.parametrize("query", [{}, {"a": "x"}, {"a": "00000000-0000-0000-0000-000000000000"}])
def test_what_does_not_exist_is_not_found(two, cast, client_as, query):
    assert page(client_as(cast.bob), **query)[0] == 404


def test_nobody_compares_with_what_they_may_not_see(two, cast, client_as):
    assert page(client_as(cast.mallory), a=two[0].uuid)[0] == 404

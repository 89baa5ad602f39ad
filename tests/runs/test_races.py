"""Runs of agents that change in the same moment, and of agents that the person no longer sees."""

from __future__ import annotations

import pytest

from agents import services as agents
from agents.models import Agent
from integrations import services as integrations
from mindloom import wall
from mindloom.engine.errors import EngineError
from mindloom.engine.spec import ModelSpec
from mindloom.web.errors import Conflict, NotFound
from runs import services
from runs.models import Run
from runs.worker.ports import RunPorts
from runs.worker.redact import Redactor
from tests import factories


@pytest.fixture
def agent(cast, transactional_db):
    with wall.tenant([cast.marketing.pk]):
        yield factories.agent(cast.alice, cast.marketing)


def test_a_run_of_an_agent_that_was_deleted_a_moment_ago_says_so(cast, agent, monkeypatch):
    monkeypatch.setattr(services.starting, "_check_sees", lambda *_: Agent.objects.filter(pk=agent.pk).delete())

    with pytest.raises(NotFound, match="deleted a moment ago"):
        services.start_run(actor=cast.bob, target=agent, text="Hello")
    assert not Run.objects.exists()


def test_an_agent_that_is_run_while_it_is_deleted_stays(cast, agent, monkeypatch):
    def run_meanwhile(self, *_, **__):
        factories.run(agent, cast.bob)
        Agent.objects.filter(pk=self.pk)._raw_delete("default")

    monkeypatch.setattr(Agent, "delete", run_meanwhile)
    with pytest.raises(Conflict, match="archive it instead"):
        agents.delete_agent(actor=cast.alice, agent=agent)
    assert Agent.objects.filter(pk=agent.pk).exists()


@pytest.mark.parametrize("current", [True, False])
def test_a_run_of_an_agent_that_became_private_is_not_repeated(cast, agent, current):
    run = factories.run(agent, cast.bob)
    Agent.objects.filter(pk=agent.pk).update(visibility="private")

    with pytest.raises(NotFound, match="private now"):
        services.repeat_run(actor=cast.bob, run=run, current=current)


def test_a_repeated_run_does_not_take_the_new_key_to_the_old_address(cast, agent):
    provider = integrations.create_provider(
        actor=cast.ada, kind="openai_like", name="Own", base_url="https://old.example/v1", key="sk-first-key-of-many"
    )
    spec = factories.spec(
        model=ModelSpec(kind="openai_like", model="m", base_url=provider.base_url, key_ref=f"provider:{provider.uuid}")
    )
    run = factories.run(agent, cast.bob, spec=spec.to_json())
    integrations.update_provider(
        actor=cast.ada, provider=provider, base_url="https://new.example/v1", key="sk-second-key-of-many"
    )

    with pytest.raises(EngineError, match="not sent to the old one"):
        RunPorts(run, Redactor()).secret(f"provider:{provider.uuid}", spec.model.base_url)

"""From an agent to what the engine runs, and what keeps it from running."""

from __future__ import annotations

import dataclasses

import pytest

from agents import services
from agents.definition import check
from agents.specs import agent_spec, model_spec, obstacles, tool_specs, unready
from integrations import tools
from integrations.models import Connection, Model, ModelProvider
from mindloom import wall
from mindloom.web.errors import Invalid
from tests import factories

pytestmark = pytest.mark.django_db

FORM = {"type": "object", "properties": {"a": {"type": "string"}}}


@pytest.fixture
def swift(models):
    """A language model that nobody has told the window of."""
    provider = ModelProvider.objects.create(name="House", kind="openai_like", base_url="https://models.example.org/v1")
    return Model.objects.create(provider=provider, model_id="swift-1", label="Swift")


@pytest.fixture
def by_mail(monkeypatch):
    """The calculator, as a tool that works through a mailbox."""
    tool = dataclasses.replace(tools.tool("calculator"), connection="smtp", ask_first="on")
    monkeypatch.setitem(tools._CATALOGUE, "calculator", tool)


@pytest.fixture
def mailbox(cast, seeing_all):
    return factories.connection(cast.alice, cast.marketing, kind="smtp", name="Post")


def definition(**fields):
    return check({"instructions": "Go", **fields})


def found(cast, actor=None, **fields):
    return obstacles(definition(**fields), cast.marketing.pk, actor)


def mailing(connection):
    return [{"key": "calculator", "connection": str(connection.uuid)}]


def test_a_spec_has_everything_that_the_definition_says(cast, in_marketing, agent, swift):
    services.update_draft(
        actor=cast.bob,
        agent=agent,
        definition={
            "instructions": "Go",
            "model": str(swift.uuid),
            "fallback_model": str(Model.objects.get(label="Offline").uuid),
            "parameters": {"temperature": 0.5},
            "memory": {"storage": "redis", "person": True},
            "output": {"name": "Note", "schema": FORM},
            "language": "German",
            "dates": True,
            "after_documents": "allow",
            "reasoning": True,
            "retries": 4,
            "buckets": [str(swift.uuid)],
        },
    )
    agent.refresh_from_db()
    spec = agent_spec(agent)
    assert (spec.model.model, spec.fallback_model.kind, spec.model.parameters) == (
        "swift-1",
        "offline",
        {"temperature": 0.5},
    )
    assert (spec.memory.storage, spec.memory.history_runs, spec.memory.person) == ("redis", 5, True)
    assert (spec.output.name, spec.output.schema) == ("Note", FORM)
    assert (spec.language, spec.dates, spec.reasoning, spec.retries) == ("German", True, True, 4)
    assert (spec.buckets, spec.after_documents) == ((str(swift.uuid),), "allow")
    assert spec.from_json(spec.to_json()) == spec


def test_the_window_of_the_model_is_told(swift):
    Model.objects.filter(pk=swift.pk).update(context_window=32_000)
    assert model_spec(str(swift.uuid), {}).context_window == 32_000


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"memory": {"storage": "redis", "person": True}}, "memory.person"),
        ({"memory": {"storage": "redis", "summary": True}}, "memory.summary"),
        ({"memory": {"window": "summarise"}}, "memory.window"),
        ({"output": {"name": "Note", "schema": FORM}}, "output"),
    ],
)
def test_the_built_in_model_cannot_do_what_needs_language(cast, in_marketing, models, fields, path):
    assert list(found(cast, **fields)) == [path]


@pytest.mark.parametrize("window", ["drop", "summarise"])
def test_a_window_that_nobody_knows_cannot_be_watched(cast, in_marketing, swift, window):
    model = str(swift.uuid)
    assert list(found(cast, model=model, memory={"window": window})) == ["memory.window"]
    Model.objects.filter(pk=swift.pk).update(context_window=8_000)
    assert found(cast, model=model, memory={"window": window}) == {}


def test_the_default_does_not_step_in_for_itself(cast, in_marketing, models):
    default = str(Model.objects.get(is_default=True).uuid)
    assert list(found(cast, fallback_model=default)) == ["fallback_model"]


def test_models_that_are_gone_are_told_apart(cast, in_marketing, swift):
    model = str(swift.uuid)
    swift.provider.is_enabled = False
    swift.provider.save()
    assert list(found(cast, fallback_model=model)) == ["fallback_model"]
    swift.delete()
    assert list(found(cast, model=model, fallback_model=str(cast.bob.uuid))) == ["model", "fallback_model"]


def test_a_connection_of_the_department_is_in_the_spec(cast, mailbox, by_mail, models):
    (spec,) = tool_specs(definition(tools=mailing(mailbox)), cast.marketing.pk)
    assert (spec.connection_ref, spec.ask_first) == (f"connection:{mailbox.uuid}", True)


def test_a_connection_of_another_department_is_refused_by_both_names(cast, mailbox, by_mail, models):
    with pytest.raises(Invalid) as caught:
        tool_specs(definition(tools=mailing(mailbox)), cast.finance.pk)
    (sentence,) = caught.value.fields["tools.0.connection"]
    assert "of Marketing" in sentence
    assert "of Finance" in sentence


def test_a_shared_agent_does_not_carry_its_connection_along(cast, mailbox, by_mail, models, agent):
    with wall.tenant([cast.marketing.pk]):
        services.update_draft(
            actor=cast.bob,
            agent=agent,
            definition={"instructions": "Go", "tools": mailing(mailbox)},
            visibility="everyone",
        )
        services.publish_agent(actor=cast.bob, agent=agent)
    with wall.tenant([cast.finance.pk]), pytest.raises(Invalid, match="is not one of Finance"):
        agent_spec(agent, agent.published, department_id=cast.finance.pk)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"is_enabled": False}, "switched off"),
        ({"kind": "postgresql"}, "of another kind"),
        ({"visibility": "private"}, "You may not use"),
    ],
)
def test_a_connection_that_cannot_be_used_says_why(cast, mailbox, by_mail, models, change, said):
    Connection.objects.filter(pk=mailbox.pk).update(**change)
    (sentence,) = found(cast, actor=cast.bob, tools=mailing(mailbox))["tools.0.connection"]
    assert said in sentence


def test_a_connection_that_is_gone_says_so(cast, mailbox, by_mail, models):
    chosen = mailing(mailbox)
    mailbox.delete()
    assert "is gone" in found(cast, tools=chosen)["tools.0.connection"][0]


def test_publishing_needs_a_connection_that_the_publisher_may_use(cast, mailbox, by_mail, agent):
    Connection.objects.filter(pk=mailbox.pk).update(visibility="private")
    services.update_draft(actor=cast.bob, agent=agent, definition={"instructions": "Go", "tools": mailing(mailbox)})
    with pytest.raises(Invalid) as caught:
        services.publish_agent(actor=cast.bob, agent=agent)
    assert list(caught.value.fields) == ["tools.0.connection"]
    services.publish_agent(actor=cast.alice, agent=agent)


def test_everything_that_keeps_a_draft_back_is_told_together(cast, in_marketing, models):
    draft = {"instructions": "", "output": {"name": "Note", "schema": FORM}, "retries": 9}
    assert list(unready(draft, cast.marketing.pk)) == ["retries", "instructions"]
    assert list(unready(draft | {"retries": 1}, cast.marketing.pk)) == ["instructions", "output"]

"""Which models and tools a department may use."""

from __future__ import annotations

import pytest

from accounts.models import Department
from agents import services as agents
from integrations import services
from integrations.models import Model
from mindloom import wall
from mindloom.web.errors import Invalid, NotAllowed
from runs import services as runs
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def second(cast):
    provider = factories.offline_model().provider
    return Model.objects.create(provider=provider, model_id="second", label="Second")


@pytest.fixture
def allow(cast):
    """Says what Marketing may use."""

    def say(models=None, tool_keys=None, actor=None):
        department = Department.objects.get(pk=cast.marketing.pk)
        return services.set_allowed(actor=actor or cast.ada, department=department, models=models, tool_keys=tool_keys)

    return say


@pytest.fixture
def agent(cast, second):
    definition = factories.DEFINITION | {"tools": [{"key": "calculator"}]}
    with wall.tenant([cast.marketing.pk]):
        made = agents.create_agent(
            actor=cast.alice, department_id=cast.marketing.pk, name="Counter", definition=definition
        )
        agents.publish_agent(actor=cast.alice, agent=made)
        made.refresh_from_db()
    return made


def refusals(cast, agent):
    """What keeps the agent from being run."""
    with wall.tenant([cast.marketing.pk]), pytest.raises(Invalid) as refused:
        runs.start_run(actor=cast.bob, target=agent, text="1+1")
    return refused.value.fields


def test_an_agent_with_a_model_or_tool_that_is_not_allowed_is_not_run(cast, agent, second, allow):
    allow(models=[second.uuid])
    assert refusals(cast, agent)["model"][0].startswith("Marketing may not use “")
    allow(tool_keys=["units"])
    assert refusals(cast, agent)["tools.0.key"][0].startswith("Marketing may not use Calculator.")

    allow(tool_keys=["calculator"])
    with wall.tenant([cast.marketing.pk]):
        assert runs.start_run(actor=cast.bob, target=agent, text="1+1").state == "queued"


def test_other_departments_are_not_concerned(cast, second, allow):
    allow(models=[], tool_keys=[])
    with wall.tenant([cast.finance.pk]):
        other = factories.agent(cast.mallory, cast.finance)
        assert runs.start_run(actor=cast.mallory, target=other, text="Go").state == "queued"


def test_the_builder_offers_what_is_allowed_and_keeps_what_was_chosen(client, cast, agent, second, allow):
    allow(models=[second.uuid], tool_keys=["units"])
    client.force_login(cast.alice)
    page = client.get(f"/agents/{agent.uuid}/edit/").text

    assert "tool-units-enabled" in page
    assert "tool-calculator-enabled" in page
    assert "tool-weather-enabled" not in page
    assert "Marketing may not use Calculator." in page
    assert str(second.uuid) in page


def test_only_administrators_say_it_and_only_what_there_is(cast, allow, second):
    with pytest.raises(NotAllowed):
        allow(models=[], actor=cast.alice)
    with pytest.raises(Invalid) as refused:
        allow(models=[cast.ada.uuid], tool_keys=["no_such"])
    assert set(refused.value.fields) == {"models", "tools"}


def test_the_page_keeps_all_or_these(client, cast, second, allow):
    client.force_login(cast.ada)
    path = f"/departments/{cast.marketing.uuid}/allowed/"
    assert client.get(path).text.count("checked") > 20

    client.post(path, {"all_models": "some", "models": [str(second.uuid)], "all_tools": "some", "tools": ["units"]})
    kept = Department.objects.get(pk=cast.marketing.pk)
    assert (kept.allowed_models, kept.allowed_tools) == ([second.uuid], ["units"])
    assert client.post(path, {"models": ["x"], "all_models": "some", "all_tools": "all"}).status_code == 422
    client.post(path, {"all_models": "all", "all_tools": "all"})
    kept.refresh_from_db()
    assert (kept.allowed_models, kept.allowed_tools) == (None, None)

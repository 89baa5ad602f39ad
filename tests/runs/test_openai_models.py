"""Agents and teams as OpenAI's protocol lists models."""

from __future__ import annotations

from mindloom import wall
from tests import factories
from tests.runs.test_api import TOPIC
from tests.runs.test_openai import agent, client_of

__all__ = ["agent"]


def test_what_one_may_run_is_listed_and_found_by_id_and_by_alias(cast, agent):
    client = client_of(cast.bob)
    (listed,) = client.get("/v1/models").json()["data"]

    assert (listed["id"], listed["alias"], listed["object"]) == (f"agent:{agent.uuid}", "agent:scout", "model")
    assert client.get(f"/v1/models/agent:{agent.uuid}").json() == client.get("/v1/models/agent:scout").json() == listed


def test_a_name_that_two_have_is_no_alias(cast, agent):
    with wall.tenant([cast.marketing.pk]):
        factories.agent(cast.alice, cast.marketing, name="scout!")
    client = client_of(cast.bob)

    assert [one["alias"] for one in client.get("/v1/models").json()["data"]] == [None, None]
    answer = client.get("/v1/models/agent:scout")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "model_not_found")


def test_teams_are_models_too_and_variables_that_must_be_given_are_named(cast, agent):
    with wall.tenant([cast.marketing.pk]):
        asks = factories.agent(cast.alice, cast.marketing, name="Asks", definition={"variables": [TOPIC]})
        factories.team(cast.alice, cast.marketing, agent, asks, name="Desk")
        factories.agent(cast.alice, cast.marketing, name="Draft", published=False)
    listed = client_of(cast.bob).get("/v1/models").json()["data"]

    assert {one["alias"]: one["variables"] for one in listed} == {
        "agent:asks": ["topic"],
        "agent:scout": [],
        "team:desk": [],
    }

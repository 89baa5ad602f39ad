"""The API's agents."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.urls import reverse

from agents import services
from agents.models import Agent
from mindloom import wall

pytestmark = pytest.mark.django_db


@pytest.fixture
def api(client_as):
    """Calls the API as a person: api(user, "post", "agents", body) with a route name and its uuid."""

    def call(user, method, name, body=None, *args, **headers):
        client = client_as(user)
        address = reverse(f"api:{name}", args=args)
        if method in {"get", "delete"}:
            return getattr(client, method)(address, body or {}, headers=headers)
        return getattr(client, method)(
            address, body if body is not None else {}, content_type="application/json", headers=headers
        )

    return call


def test_an_agent_is_made_in_the_first_department(api, cast, models):
    answer = api(
        cast.bob, "post", "agents", {"name": "Digest", "template": "meeting-minutes", "draft": {"markdown": False}}
    )
    assert answer.status_code == 201
    body = answer.json()
    assert body["department"] == str(cast.marketing.uuid)
    assert body["draft"]["markdown"] is False
    assert "minutes" in body["draft"]["instructions"]
    assert answer.headers["Location"].endswith(body["uuid"])


def test_a_department_can_be_named_if_it_is_ones_own(api, cast, models):
    assert api(cast.bob, "post", "agents", {"name": "A", "department": str(cast.marketing.uuid)}).status_code == 201
    for department in (cast.finance.uuid, uuid4()):
        answer = api(cast.bob, "post", "agents", {"name": "B", "department": str(department)})
        assert (answer.status_code, list(answer.json()["fields"])) == (400, ["department"])


def test_viewers_and_people_without_a_department_may_not_make_agents(api, cast, models):
    assert api(cast.carol, "post", "agents", {"name": "A"}).status_code == 403
    assert api(cast.carol, "post", "agents", {"name": "A", "department": str(cast.marketing.uuid)}).status_code == 403
    assert api(cast.nora, "post", "agents", {"name": "A"}).status_code == 403


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": ""}, "name"),
        ({"name": 5, "colour": 1}, "colour"),
        ({"name": "x" * 81}, "name"),
        ({"name": "a\x00"}, "name"),
        ({"name": "A", "icon": "rm -rf"}, "icon"),
        ({"name": "A", "visibility": "world"}, "visibility"),
        ({"name": "A", "template": "nothing"}, "template"),
        ({"name": "A", "draft": {"limits": {"seconds": "x"}}}, "limits.seconds"),
        ({"name": "A", "draft": {"instructions": "a\x00"}}, "draft"),
        ({"name": "A", "draft": {"variables": [{"name": "B B"}]}}, "variables.0.name"),
    ],
)
def test_what_does_not_fit_is_named(api, cast, models, body, field):
    answer = api(cast.bob, "post", "agents", body)
    assert answer.status_code == 400
    assert any(field in name for name in answer.json()["fields"])


@pytest.mark.parametrize("body", [[], "text", 7, {"name": "A", "draft": []}, {"name": "A", "draft": "x"}])
def test_what_is_no_object_is_refused(api, cast, models, body):
    assert api(cast.bob, "post", "agents", body).status_code == 400


def test_a_repeated_request_makes_one_agent(api, cast, models, in_marketing):
    answers = [api(cast.bob, "post", "agents", {"name": "Once"}, **{"Idempotency-Key": "k1"}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[1].headers["Idempotency-Replayed"] == "true"
    assert Agent.objects.filter(name="Once").count() == 1


def test_the_list_is_filtered_and_bounded(api, cast, agent, in_marketing):
    services.create_agent(actor=cast.bob, department_id=cast.marketing.pk, name="Other", category="Tech")
    found = api(cast.carol, "get", "agents", {"category": "Tech", "limit": "1"}).json()
    assert [one["name"] for one in found["results"]] == ["Other"]
    assert api(cast.carol, "get", "agents", {"q": "dig"}).json()["results"][0]["name"] == "Digest"
    assert api(cast.carol, "get", "agents", {"department": "x"}).status_code == 400


def test_nobody_sees_agents_of_another_department(api, cast, published):
    assert api(cast.mallory, "get", "agents").json()["results"] == []
    for method, name in (
        ("get", "agent"), ("patch", "agent"), ("delete", "agent"), ("get", "agent_versions"), ("post", "agent_publish"),
        ("post", "agent_duplicate"), ("post", "agent_archive"), ("post", "agent_restore"),
    ):  # fmt: skip
        assert api(cast.mallory, method, name, {}, published.uuid).status_code == 404, (method, name)


def test_a_viewer_may_read_but_not_change(api, cast, published):
    assert api(cast.carol, "get", "agent", None, published.uuid).status_code == 200
    for method, name in (
        ("patch", "agent"), ("delete", "agent"), ("post", "agent_publish"), ("post", "agent_duplicate"), ("post", "agent_archive"),
        ("post", "agent_restore"),
    ):  # fmt: skip
        assert api(cast.carol, method, name, {}, published.uuid).status_code == 403, (method, name)


def test_fields_that_are_left_out_keep_their_values(api, cast, agent):
    answer = api(cast.bob, "patch", "agent", {"description": "Short", "draft": {"markdown": False}}, agent.uuid).json()
    assert answer["description"] == "Short"
    assert answer["draft"]["instructions"] == "Write about {{ topic }}."
    assert answer["draft"]["markdown"] is False


def test_a_draft_that_changed_meanwhile_is_a_conflict(api, cast, agent):
    body = {"draft": {"instructions": "Mine"}, "draft_digest": agent.draft_digest}
    with wall.tenant([cast.marketing.pk]):
        services.update_draft(actor=cast.alice, agent=agent, definition={"instructions": "Alice's"})
    answer = api(cast.bob, "patch", "agent", body, agent.uuid)
    assert (answer.status_code, answer.json()["code"]) == (409, "draft_changed")


def test_publishing_and_its_versions(api, cast, agent):
    assert api(cast.bob, "post", "agent_publish", {"note": "First"}, agent.uuid).json()["number"] == 1
    again = api(cast.bob, "post", "agent_publish", {}, agent.uuid)
    assert (again.status_code, again.json()["code"]) == (409, "nothing_changed")
    versions = api(cast.carol, "get", "agent_versions", None, agent.uuid).json()["results"]
    assert [(one["number"], one["note"]) for one in versions] == [(1, "First")]


def test_a_draft_that_is_not_ready_is_not_published(api, cast, agent):
    api(cast.bob, "patch", "agent", {"draft": {"variables": []}}, agent.uuid)
    answer = api(cast.bob, "post", "agent_publish", {}, agent.uuid)
    assert (answer.status_code, list(answer.json()["fields"])) == (400, ["instructions"])


def test_duplicate_archive_restore_and_delete(api, cast, agent):
    copy = api(cast.alice, "post", "agent_duplicate", {"name": "Copy"}, agent.uuid).json()
    assert copy["owner"] == "Alice"
    assert api(cast.bob, "post", "agent_archive", {}, agent.uuid).json()["archived_at"]
    assert api(cast.bob, "get", "agents", {"archived": "true"}).json()["results"][0]["name"] == "Digest"
    assert api(cast.bob, "post", "agent_restore", {}, agent.uuid).json()["archived_at"] is None
    assert api(cast.bob, "delete", "agent", None, agent.uuid).status_code == 204
    assert api(cast.bob, "get", "agent", None, agent.uuid).status_code == 404


def test_templates_can_be_listed(api, cast):
    found = api(cast.carol, "get", "templates").json()
    assert len(found) >= 9
    assert found[0]["definition"]["variables"]


@pytest.mark.parametrize(("method", "name"), [("put", "agent"), ("post", "agent_versions"), ("delete", "agents")])
def test_other_methods_are_not_there(api, cast, agent, method, name):
    args = [] if name == "agents" else [agent.uuid]
    assert api(cast.bob, method, name, {}, *args).status_code == 405


def test_strangers_get_nothing(api, agent):
    assert api(None, "get", "agents").status_code == 401

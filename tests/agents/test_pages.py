"""The pages of agents, through the browser's door."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest
from django.urls import reverse

from agents import services
from agents.forms import write
from agents.models import Agent
from mindloom import wall

pytestmark = pytest.mark.django_db


def url(name, agent, *more):
    return reverse(f"agents:{name}", args=[agent.uuid, *more])


def form_of(agent, **changes):
    """What the builder would post."""
    data = write(agent)
    data["draft_digest"] = agent.draft_digest
    for name, value in changes.items():
        data[name] = value
    return data.urlencode()


def post(client, address, body):
    return client.post(address, body, content_type="application/x-www-form-urlencoded")


def test_the_list_shows_the_departments_agents(client_as, cast, agent):
    page = client_as(cast.carol).get(reverse("agents:list"))
    assert page.status_code == 200
    assert b"Digest" in page.content


def test_the_list_of_another_department_is_empty(client_as, cast, agent):
    page = client_as(cast.mallory).get(reverse("agents:list"))
    assert b"Digest" not in page.content
    assert b"No agents yet" in page.content


def test_the_list_narrows_to_a_fragment(client_as, cast, agent):
    headers = {"HX-Request": "true", "HX-Request-Type": "partial", "HX-Target": "div#agents"}
    page = client_as(cast.bob).get(reverse("agents:list"), {"q": "nothing like it"}, headers=headers)
    assert b"No agent matches" in page.content
    assert b"<html" not in page.content


@pytest.mark.parametrize(
    "query", ["q=a%00b", "page=999999999999999999999", "page=x", "category=%00", "show=everything"]
)
def test_a_strange_query_is_answered_all_the_same(client_as, cast, agent, query):
    assert client_as(cast.bob).get(f"{reverse('agents:list')}?{query}").status_code == 200


def test_archived_agents_are_listed_apart(client_as, cast, agent, in_marketing):
    services.archive_agent(actor=cast.bob, agent=agent)
    client = client_as(cast.bob)
    assert b"Digest" not in client.get(reverse("agents:list")).content
    assert b"Digest" in client.get(reverse("agents:list"), {"show": "archived"}).content


def test_the_list_asks_as_often_for_20_agents_as_for_one(
    client_as, cast, agent, in_marketing, django_assert_max_num_queries
):
    client = client_as(cast.bob)
    client.get(reverse("agents:list"))
    with django_assert_max_num_queries(30) as one:
        client.get(reverse("agents:list"))
    for number in range(19):
        services.create_agent(actor=cast.bob, department_id=cast.marketing.pk, name=f"Agent {number}", category="Tech")
    with django_assert_max_num_queries(30) as many:
        client.get(reverse("agents:list"))
    assert len(many) == len(one)


@pytest.mark.parametrize("name", ["detail", "edit"])
def test_nobody_opens_an_agent_of_another_department(client_as, cast, agent, name):
    assert client_as(cast.mallory).get(url(name, agent)).status_code == 404


@pytest.mark.parametrize("name", ["autosave", "publish", "discard", "duplicate", "archive", "restore", "delete"])
def test_nobody_changes_an_agent_of_another_department(client_as, cast, agent, name, seeing_all):
    assert client_as(cast.mallory).post(url(name, agent)).status_code == 404
    assert Agent.objects.count() == 1


@pytest.mark.parametrize(
    "name", ["edit", "autosave", "publish", "discard", "duplicate", "archive", "restore", "delete"]
)
def test_a_viewer_may_look_but_not_change(client_as, cast, agent, name):
    client = client_as(cast.carol)
    assert client.get(url("detail", agent)).status_code == 200
    assert client.post(url(name, agent)).status_code == 403


def test_the_gallery_previews_a_template(client_as, cast):
    page = client_as(cast.bob).get(reverse("agents:gallery"), {"template": "campaign-brief"})
    assert b"Use this template" in page.content
    assert b"Lumen bike light" in page.content


def test_a_template_becomes_an_agent(client_as, cast, models, in_marketing):
    answer = client_as(cast.bob).post(
        reverse("agents:create"), {"template": "campaign-brief", "name": "Briefs", "icon": "mail"}
    )
    made = Agent.objects.get(name="Briefs")
    assert answer.url == url("edit", made)
    assert made.icon == "mail"


def test_an_agent_without_a_name_is_asked_for_one(client_as, cast, models):
    page = client_as(cast.bob).post(reverse("agents:create"), {"name": " "})
    assert page.status_code == 422
    assert b"Give the agent a name" in page.content


def test_a_viewer_may_not_make_agents(client_as, cast, models):
    assert client_as(cast.carol).post(reverse("agents:create"), {"name": "Mine"}).status_code == 403


def test_the_builder_shows_the_draft(client_as, cast, agent):
    page = client_as(cast.bob).get(url("edit", agent))
    assert b"Write about {{ topic }}." in page.content
    assert b'name="variables-0-name"' in page.content


def test_the_builder_saves_without_javascript(client_as, cast, agent, in_marketing):
    answer = post(
        client_as(cast.bob),
        url("edit", agent),
        form_of(agent, instructions="About {{ topic }}, briefly.", tool_calls="7"),
    )
    assert answer.status_code == 302
    agent.refresh_from_db()
    assert agent.draft["instructions"] == "About {{ topic }}, briefly."
    assert agent.draft["limits"]["tool_calls"] == 7


def test_what_is_refused_comes_back_with_a_sentence(client_as, cast, agent, in_marketing):
    page = post(client_as(cast.bob), url("edit", agent), form_of(agent, tool_calls="4O", instructions="Keep me"))
    assert page.status_code == 422
    assert b"Enter a whole number" in page.content
    assert b"Keep me" in page.content
    agent.refresh_from_db()
    assert agent.draft["instructions"] != "Keep me"


def test_a_variable_can_be_added_moved_and_removed_without_javascript(client_as, cast, agent):
    client, body = client_as(cast.bob), form_of(agent, action="add_variable")
    page = post(client, url("edit", agent), body)
    assert b'name="variables-1-name"' in page.content
    page = post(client, url("edit", agent), form_of(agent, action="remove-0"))
    assert b'name="variables-0-name"' not in page.content


@pytest.mark.parametrize("action", ["remove-99", "up-x", "down-", "nonsense", "remove-\x00"])
def test_a_button_that_does_not_exist_changes_nothing(client_as, cast, agent, action):
    page = post(client_as(cast.bob), url("edit", agent), form_of(agent, action=action))
    assert page.status_code == 200
    assert b'name="variables-0-name"' in page.content


def test_autosave_answers_with_the_new_digest(client_as, cast, agent, in_marketing):
    answer = post(client_as(cast.bob), url("autosave", agent), form_of(agent, instructions="On {{ topic }}")).json()
    agent.refresh_from_db()
    assert answer["digest"] == agent.draft_digest
    assert answer["notes"] == {}


def test_autosave_names_what_keeps_the_draft_from_being_published(client_as, cast, agent):
    answer = post(client_as(cast.bob), url("autosave", agent), form_of(agent, instructions="On {{ other }}")).json()
    assert "other" in answer["notes"]["instructions"][0]


def test_autosave_names_the_input_that_is_wrong(client_as, cast, agent):
    answer = post(client_as(cast.bob), url("autosave", agent), form_of(agent, **{"variables-0-name": "Not Good"}))
    assert answer.status_code == 422
    assert "variables-0-name" in answer.json()["errors"]


def test_autosave_does_not_overwrite_what_somebody_else_wrote(client_as, cast, agent, in_marketing):
    body = form_of(agent, instructions="Bob's")
    services.update_draft(actor=cast.alice, agent=agent, definition={"instructions": "Alice's"})
    answer = post(client_as(cast.bob), url("autosave", agent), body)
    assert (answer.status_code, answer.json()["code"]) == (409, "draft_changed")


def test_two_megabytes_of_instructions_are_refused_with_a_sentence(client_as, cast, agent):
    page = post(client_as(cast.bob), url("edit", agent), form_of(agent, instructions="x" * 2_000_000))
    assert page.status_code == 422
    assert b"100,000 are the most" in page.content


@pytest.mark.parametrize("name", ["instructions", "name", "variables-0-default", "category", "model", "row"])
def test_nul_characters_are_refused_beside_the_field(client_as, cast, agent, name):
    page = post(client_as(cast.bob), url("edit", agent), form_of(agent, **{name: "a\x00b"}))
    assert page.status_code in {302, 422}


def test_publishing_from_the_page(client_as, cast, agent, in_marketing):
    answer = client_as(cast.bob).post(url("publish", agent), {"note": "Hello"})
    assert answer.url == url("detail", agent)
    assert agent.versions.get().note == "Hello"


def test_an_unready_draft_is_shown_with_what_is_missing(client_as, cast, agent, in_marketing):
    services.update_draft(actor=cast.bob, agent=agent, definition={"instructions": ""})
    page = client_as(cast.bob).post(url("publish", agent))
    assert page.status_code == 422
    assert b"Say what the agent should do" in page.content


def test_versions_can_be_read(client_as, cast, published):
    client = client_as(cast.carol)
    assert b"First" in client.get(url("detail", published)).content
    assert client.get(url("version", published, 1)).status_code == 200
    assert client.get(url("version", published, 2)).status_code == 404
    assert client.get(url("version", published, 10**12)).status_code == 404


def test_archive_restore_duplicate_and_delete(client_as, cast, agent, in_marketing):
    client = client_as(cast.bob)
    client.post(url("archive", agent))
    assert client.get(url("edit", agent)).status_code == 302
    client.post(url("restore", agent))
    client.post(url("duplicate", agent))
    assert Agent.objects.active().count() == 2
    client.post(url("delete", agent))
    assert Agent.objects.active().get().name == "Digest (copy)"


def test_strangers_are_sent_to_sign_in(client_as, agent):
    answer = client_as(None).get(url("detail", agent))
    assert answer.status_code == 302
    assert urlencode({"next": url("detail", agent)}, safe="/") in answer.url


def test_a_private_agent_is_not_there_for_others(client_as, cast, agent):
    with wall.tenant([cast.marketing.pk]):
        services.update_draft(actor=cast.bob, agent=agent, visibility="private")
    assert client_as(cast.carol).get(url("detail", agent)).status_code == 404


def test_every_filter_of_the_list_is_a_link(client_as, cast, agent, in_marketing):
    services.update_draft(actor=cast.bob, agent=agent, category="Tech")
    page = client_as(cast.bob).get(reverse("agents:list")).content.decode()
    for query in ("", "?show=mine", "?show=archived", "?category=Tech"):
        assert f'href="{reverse("agents:list")}{query}"' in page

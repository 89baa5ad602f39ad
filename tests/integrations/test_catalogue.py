"""The catalogue's pages and API: what each tool can do, in words."""

from __future__ import annotations

import pytest
from django.urls import reverse

from integrations import tools
from integrations.views.catalogue import in_words, parameters
from mindloom import wall
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def bob(client_as, cast):
    return client_as(cast.bob)


def shown(client, query=""):
    return {card.tool.key for card in client.get(f"/tools/{query}").context["cards"]}


def test_everybody_who_is_signed_in_may_look(client_as, cast):
    for person in (cast.carol, cast.mallory, cast.nora):
        assert client_as(person).get("/tools/").status_code == 200


def test_the_list_shows_every_tool_with_its_effect(bob):
    page = bob.get("/tools/").content.decode()
    assert all(tool.name in page for tool in tools.catalogue())
    assert len(tools.catalogue()) >= 5


def test_words_find_tools_by_name_sentence_and_function(bob):
    assert "calculator" in shown(bob, "?q=calcul")
    assert shown(bob, "?q=fetch_page") == {"web_page"}
    assert shown(bob, "?q=no+such+thing") == set()
    assert b"No tool matches" in bob.get("/tools/?q=no+such+thing").content


def test_an_effect_filters_and_nonsense_does_not(bob):
    reads = {tool.key for tool in tools.catalogue() if tool.effect == "reads"}
    assert shown(bob, "?effect=reads") == reads
    assert shown(bob, "?effect=nonsense") == {tool.key for tool in tools.catalogue()}


@pytest.mark.parametrize("key", [tool.key for tool in tools._CATALOGUE.values()])
def test_every_tool_has_a_page_that_says_what_it_takes(bob, key):
    page = bob.get(reverse("integrations:tool", args=[key])).content.decode()
    for info in tools.infos(tools.tool(key)):
        assert info.name in page
        assert all(part["name"] in page for part in parameters(info.parameters))


def test_a_tool_that_is_not_there_is_not_found(bob):
    for key in ("nothing", "mcp-nothing", "mcp-"):
        assert bob.get(f"/tools/{key}/").status_code == 404


def test_a_tool_that_needs_a_connection_shows_those_one_can_use(bob, cast, monkeypatch):
    from dataclasses import replace

    needy = replace(tools.tool("calculator"), key="needy", connection="smtp")
    monkeypatch.setitem(tools._CATALOGUE, "needy", needy)
    page = bob.get("/tools/needy/").content.decode()
    assert "There is none that you can use yet" in page
    assert "/connections/new/?kind=smtp" in page
    with wall.system("tests: a connection"):
        factories.connection(cast.alice, cast.marketing)
    assert "Office mail" in bob.get("/tools/needy/").content.decode()


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": "string"}, "text"),
        ({"type": "integer"}, "whole number"),
        ({"type": "boolean"}, "yes or no"),
        ({"enum": ["a", "b"]}, "one of: a, b"),
        ({"type": "array", "items": {"type": "string"}}, "list of: text"),
        ({"type": "array"}, "list"),
        ({"type": ["string", "null"]}, "text"),
        ({"anyOf": [{"type": "number"}, {"type": "null"}]}, "number"),
        ({"type": "rocket"}, "anything"),
        ("nonsense", "anything"),
        ({}, "anything"),
    ],
)
def test_schemas_are_put_into_words(schema, words):
    assert in_words(schema) == words


@pytest.mark.parametrize("schema", [{}, {"properties": "x"}, {"properties": {"a": 1}, "required": 5}])
def test_a_schema_that_is_none_breaks_nothing(schema):
    assert [part["kind"] for part in parameters(schema)] in ([], ["anything"])


# --- API ---


def test_the_api_says_what_a_tool_needs(client_as, cast):
    found = {one["key"]: one for one in client_as(cast.bob).get(reverse("api:tools")).json()}
    assert found["calculator"]["connection"] == ""
    assert found["calculator"]["ask_first"] == "never"
    assert found["calculator"]["is_remote"] is False


def test_the_api_filters_by_effect(client_as, cast):
    client = client_as(cast.bob)
    assert {one["effect"] for one in client.get("/api/v1/tools?effect=writes").json()} == {"writes"}
    assert client.get("/api/v1/tools?effect=nonsense").status_code == 400

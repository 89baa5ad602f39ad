"""The builder's form: what is written comes back, and what is wrong stands where it belongs."""

from __future__ import annotations

import dataclasses
import json

import pytest
from django.http import QueryDict
from django.urls import reverse

from agents import services
from agents.definition import check
from agents.definition.output import Field, schema_of
from agents.forms import Builder, about_tokens, by_input, read, rearranged, section_of, write
from agents.forms.rows import write_output
from integrations import tools
from integrations.models import Model
from tests import factories

pytestmark = pytest.mark.django_db

GROUP = Field(
    name="lines",
    kind="object",
    is_list=True,
    fields=(Field(name="what"), Field(name="euro", kind="number", required=False)),
)
FORM = schema_of(
    [Field(name="title", description="As printed"), GROUP, Field(name="tone", kind="choice", choices=("a", "b"))]
)
PASTED = {"type": "object", "properties": {"a": {"type": "string", "maxLength": 5}}}
RICH = {
    "instructions": "Write about {{ topic }}.",
    "variables": [{"name": "topic"}, {"name": "urgent", "kind": "boolean", "default": True}],
    "parameters": {"temperature": 0.3, "max_tokens": 500},
    "tools": [{"key": "calculator"}, {"key": "web_page", "config": {"sites": ["example.org", "example.com"]}}],
    "memory": {"storage": "redis", "history_runs": 3, "person": True, "window": "drop"},
    "language": "German",
    "dates": True,
    "reasoning": True,
    "after_documents": "allow",
    "markdown": False,
    "retries": 0,
}


def posted(**values):
    data = QueryDict(mutable=True)
    for name, value in values.items():
        data.setlist(name, value) if isinstance(value, list) else data.update({name: value})
    return data


def url(name, agent, *more):
    return reverse(f"agents:{name}", args=[agent.uuid, *more])


def post(client, address, data):
    return client.post(address, data.urlencode(), content_type="application/x-www-form-urlencoded")


@pytest.mark.parametrize(
    "change", [{}, {"output": {"name": "Bill", "schema": FORM}}, {"output": {"name": "Bill", "schema": PASTED}}]
)
def test_what_the_form_shows_is_what_it_reads(cast, in_marketing, agent, change):
    kept = services.update_draft(actor=cast.bob, agent=agent, definition=RICH | change)
    identity, definition, wrong = read(write(kept))
    assert (wrong, check(definition, complete=False)) == ({}, kept.draft)
    assert identity["visibility"] == "department"


def test_a_draft_of_an_earlier_release_is_shown(agent):
    agent.draft = {name: agent.draft[name] for name in ("instructions", "model", "parameters", "variables", "limits")}
    assert check(read(write(agent))[1], complete=False)["memory"]["storage"] == "none"


def test_creativity_is_the_models_own_until_somebody_moves_the_slider(agent):
    data = write(agent)
    assert data["temperature_auto"] == "on"
    assert read(data)[1]["parameters"]["temperature"] is None
    del data["temperature_auto"]
    assert read(data)[1]["parameters"]["temperature"] == "1"


def test_choosing_where_memory_is_kept_brings_the_usual_history(agent):
    data = write(agent)
    data["memory-storage"] = "postgresql"
    assert check(read(data)[1], complete=False)["memory"]["history_runs"] == 5


def fields(*rows):
    data = posted(output_mode="form", field=[str(n) for n in range(len(rows))])
    for number, row in enumerate(rows):
        data.update(
            {f"fields-{number}-{name}": value for name, value in ({"kind": "text", "required": "on"} | row).items()}
        )
    return data


@pytest.mark.parametrize(
    ("rows", "field"),
    [
        ([{"name": "", "description": "x"}], "fields-0-name"),
        ([{"name": "a"}, {"name": "a"}], "fields-1-name"),
        ([{"name": "a", "inside": "on"}], "fields-0-inside"),
        ([{"name": "a"}, {"name": "b", "inside": "on"}], "fields-1-inside"),
        ([{"name": "a", "kind": "object"}, {"name": "b", "kind": "object", "inside": "on"}], "fields-1-kind"),
        (
            [{"name": "a", "kind": "object"}, {"name": "b", "inside": "on"}, {"name": "b", "inside": "on"}],
            "fields-2-name",
        ),
    ],
)
def test_rows_that_make_no_schema_are_named(rows, field):
    assert field in read(fields(*rows))[2]


def test_empty_rows_are_left_out_and_the_same_name_may_stand_in_a_group():
    data = fields({"name": "a", "kind": "object"}, {"name": "a", "inside": "on"}, {"name": ""}, {"name": "b"})
    _, definition, wrong = read(data)
    assert (wrong, list(definition["output"]["schema"]["properties"])) == ({}, ["a", "b"])


@pytest.mark.parametrize("text", ["{", "{'a': 1}", "nothing", "[" * 100_000])
def test_a_pasted_schema_that_is_no_json_is_named(text):
    wrong = read(posted(output_mode="schema", output_schema=text))[2]
    assert list(wrong) == ["output_schema"]


@pytest.mark.parametrize(
    ("path", "name", "section"),
    [
        ("name", "name", "identity"),
        ("visibility", "visibility", "sharing"),
        ("instructions", "instructions", "instructions"),
        ("variables.0.name", "variables-4-name", "variables"),
        ("parameters.top_p", "top_p", "model"),
        ("fallback_model", "fallback_model", "model"),
        ("retries", "retries", "model"),
        ("tools.0.config.sites", "tool-web_page-sites", "tools"),
        ("tools.0.connection", "use-web_page-connection", "tools"),
        ("tools.0.key", "tool-web_page-enabled", "tools"),
        ("memory.window", "memory-window", "memory"),
        ("output", "output_mode", "answer"),
        ("output.name", "output_name", "answer"),
        ("output.schema.properties.tone.enum", "fields-2-choices", "answer"),
        ("output.schema.properties.title.type", "fields-1-name", "answer"),
        ("output.schema", "output_mode", "answer"),
        ("language", "language", "answer"),
        ("limits.tokens", "tokens", "limits"),
        ("something.else", "", "instructions"),
    ],
)
def test_a_finding_stands_beside_its_input(path, name, section):
    data = posted(row=["4"], field=["1", "2"], output_mode="form", **{"tool-web_page-enabled": "on"})
    data.update({"fields-1-name": "title", "fields-2-name": "tone"})
    assert by_input({path: ["Wrong."]}, data) == {name: ["Wrong."]}
    assert section_of(name) == section


def test_findings_about_a_pasted_schema_stand_beside_it():
    data = posted(output_mode="schema")
    assert list(by_input({"output.schema.properties.a.type": ["x"]}, data)) == ["output_schema"]


@pytest.mark.parametrize(
    ("action", "order"),
    [
        ("add_field", ["3", "5", "6"]),
        ("remove_field-3", ["5"]),
        ("up_field-5", ["5", "3"]),
        ("down_field-3", ["5", "3"]),
        ("up_field-99", ["3", "5"]),
        ("fly_field-3", ["3", "5"]),
        ("", ["3", "5"]),
    ],
)
def test_fields_are_added_moved_and_removed(action, order):
    assert rearranged(posted(field=["3", "5"], row=["1"]), action).getlist("field") == order


def test_a_group_is_shown_with_its_fields_below_it():
    data = QueryDict(mutable=True)
    write_output(data, {"name": "Bill", "schema": FORM})
    assert [data[f"fields-{row}-name"] for row in data.getlist("field")] == ["title", "lines", "what", "euro", "tone"]
    assert "fields-2-inside" in data
    assert "fields-4-inside" not in data


def test_tokens_are_an_estimate_of_four_letters_each():
    assert [about_tokens(text) for text in ("", "a", "four", "five!")] == [0, 1, 1, 2]


@pytest.fixture
def mailer(monkeypatch):
    """The calculator as a tool that sends through a mailbox and asks first."""

    def becomes(ask_first):
        tool = dataclasses.replace(tools.tool("calculator"), connection="smtp", ask_first=ask_first)
        monkeypatch.setitem(tools._CATALOGUE, "calculator", tool)
        return tool

    return becomes


def test_only_ones_own_departments_connections_of_the_kind_are_offered(
    cast, in_marketing, agent, mailer, client_as, seeing_all
):
    mailer("on")
    ours = factories.connection(cast.alice, cast.marketing, kind="smtp", name="Our post")
    factories.connection(cast.alice, cast.marketing, kind="postgresql", name="Our figures")
    factories.connection(cast.mallory, cast.finance, kind="smtp", name="Their post")
    page = client_as(cast.bob).get(url("edit", agent)).content.decode()
    assert "Our post" in page
    assert "Our figures" not in page
    assert "Their post" not in page
    data = write(agent)
    data.update({"use-calculator-connection": str(ours.uuid), "draft_digest": agent.draft_digest})
    post(client_as(cast.bob), url("edit", agent), data)
    agent.refresh_from_db()
    chosen = agent.draft["tools"][0]
    assert (chosen["connection"], chosen["ask_first"]) == (str(ours.uuid), False)


def test_a_tool_that_is_switched_on_begins_as_its_maker_meant(agent, mailer):
    mailer("on")
    data = posted(**{"tool-calculator-enabled": "on"})
    assert read(data)[1]["tools"][0]["ask_first"] is None
    assert check({"tools": read(data)[1]["tools"]}, complete=False)["tools"][0]["ask_first"] is True


def test_a_tool_that_always_asks_says_so(agent, mailer):
    mailer("always")
    builder = Builder(write(agent), Model.objects.usable())
    form = next(one for one in builder.tools if one.tool.key == "calculator")
    assert form.use.fields["ask_first"].disabled
    assert form.lacks_connection
    assert [one.tool.key for one in builder.chosen_tools] == ["calculator"]


def test_what_the_model_cannot_do_is_noted_in_its_section(client_as, cast, agent, in_marketing):
    services.update_draft(
        actor=cast.bob, agent=agent, definition={"instructions": "Go", "output": {"name": "A", "schema": FORM}}
    )
    page = client_as(cast.bob).get(url("edit", agent)).content.decode()
    assert "is no language model and cannot" in page
    answer = client_as(cast.bob).post(url("publish", agent))
    assert answer.status_code == 422


def test_a_schema_and_another_mistake_are_told_at_once(client_as, cast, agent):
    data = write(agent)
    data.update({"output_mode": "schema", "output_schema": "{", "tool_calls": "4O"})
    answer = post(client_as(cast.bob), url("autosave", agent), data)
    assert (answer.status_code, sorted(answer.json()["errors"])) == (422, ["output_schema", "tool_calls"])


def test_review_keeps_the_draft_and_shows_what_changes(client_as, cast, published, in_marketing):
    data = write(published)
    data.update({"draft_digest": published.draft_digest, "dates": "on", "action": "review"})
    answer = post(client_as(cast.bob), url("edit", published), data)
    assert answer.url == url("publish", published)
    assert "Knows today’s date now." in client_as(cast.bob).get(answer.url).content.decode()


def test_the_dialog_asks_for_the_difference_alone(client_as, cast, published, in_marketing):
    headers = {"HX-Request": "true", "HX-Request-Type": "partial", "HX-Target": "div#difference"}
    page = client_as(cast.bob).get(url("publish", published), headers=headers).content.decode()
    assert "Nothing changed since it was published." in page
    assert "<html" not in page


def test_a_pasted_schema_comes_back_readable(client_as, cast, agent, in_marketing):
    services.update_draft(actor=cast.bob, agent=agent, definition={"output": {"name": "A", "schema": PASTED}})
    agent.refresh_from_db()
    assert json.loads(write(agent)["output_schema"]) == PASTED

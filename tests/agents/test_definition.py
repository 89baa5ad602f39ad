"""What an agent may be made of."""

from __future__ import annotations

from uuid import uuid4

import pytest

from agents.definition import blank, check, check_values, digest, problems
from agents.gallery import CATEGORIES, ICONS, TEMPLATES
from mindloom.engine.prompt import render
from mindloom.web.errors import Invalid

GOOD = {"instructions": "Write about {{ topic }}.", "variables": [{"name": "topic"}]}


def refused(definition, **options):
    with pytest.raises(Invalid) as caught:
        check(definition, **options)
    return caught.value.fields


def test_a_definition_gets_its_defaults():
    normal = check(GOOD)
    assert normal["limits"]["tool_calls"] == 40
    assert normal["model"] is None
    assert normal["variables"][0]["label"] == "Topic"


def test_checking_twice_changes_nothing():
    assert check(check(GOOD)) == check(GOOD)


def test_the_digest_does_not_depend_on_the_order_of_names():
    normal = check(GOOD)
    assert digest(normal) == digest(dict(reversed(normal.items())))


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"colour": "red"}, "colour"),
        ({"instructions": ""}, "instructions"),
        ({"instructions": "x" * 100_001}, "instructions"),
        ({"instructions": "a\x00b"}, "instructions"),
        ({"instructions": "\ud800"}, "instructions"),
        ({"instructions": ["list"]}, "instructions"),
        ({"instructions": "{{ other }}"}, "instructions"),
        ({"instructions": "{{ 1bad }}"}, "instructions"),
        ({"model": "gpt"}, "model"),
        ({"parameters": {"temperature": 3}}, "parameters.temperature"),
        ({"parameters": {"temperature": float("nan")}}, "parameters.temperature"),
        ({"parameters": {"max_tokens": 1.5}}, "parameters.max_tokens"),
        ({"parameters": {"seed": 1}}, "parameters.seed"),
        ({"parameters": "hot"}, "parameters"),
        ({"limits": {"seconds": "soon"}}, "limits.seconds"),
        ({"limits": {"tool_calls": True}}, "limits.tool_calls"),
        ({"variables": [{"name": "Bad Name"}]}, "variables.0.name"),
        ({"variables": [{"name": "topic"}, {"name": "topic"}]}, "variables.1.name"),
        ({"variables": [{"name": "topic", "kind": "colour"}]}, "variables.0.kind"),
        ({"variables": [{"name": "topic", "kind": ["text"]}]}, "variables.0.kind"),
        ({"variables": [{"name": "topic", "kind": "choice"}]}, "variables.0.choices"),
        ({"variables": [{"name": "topic", "kind": "number", "default": "many"}]}, "variables.0.default"),
        ({"variables": [{"name": f"v{n}"} for n in range(31)]}, "variables"),
        ({"variables": {"name": "topic"}}, "variables"),
        ({"tools": [{"key": "rocket"}]}, "tools.0.key"),
        ({"tools": [{"key": "calculator"}, {"key": "calculator"}]}, "tools.1.key"),
        ({"tools": [{"key": "web_page", "config": {"sites": ["not a site!"]}}]}, "tools.0.config.sites"),
        ({"tools": [{"key": "calculator", "config": {"speed": 1}}]}, "tools.0.config.speed"),
        ({"markdown": "yes"}, "markdown"),
        ({"fallback_model": "gpt"}, "fallback_model"),
        ({"tools": [{"key": "calculator", "connection": str(uuid4())}]}, "tools.0.connection"),
        ({"tools": [{"key": "web_page", "connection": "mail"}]}, "tools.0.connection"),
        ({"tools": [{"key": "calculator", "ask_first": True}]}, "tools.0.ask_first"),
        ({"tools": [{"key": "calculator", "ask_first": "no"}]}, "tools.0.ask_first"),
        ({"buckets": ["handbook"]}, "buckets.0"),
        ({"buckets": [str(uuid4()) for _ in range(21)]}, "buckets"),
        ({"memory": "long"}, "memory"),
        ({"memory": {"storage": "disk"}}, "memory.storage"),
        ({"memory": {"storage": "redis", "history_runs": 51}}, "memory.history_runs"),
        ({"memory": {"storage": "redis", "person": 1}}, "memory.person"),
        ({"memory": {"window": ["drop"]}}, "memory.window"),
        ({"memory": {"forever": True}}, "memory.forever"),
        ({"output": "json"}, "output"),
        ({"output": {"schema": {"type": "object"}, "strict": True}}, "output.strict"),
        ({"reasoning": "deep"}, "reasoning"),
        ({"language": "Klingon"}, "language"),
        ({"dates": 1}, "dates"),
        ({"after_documents": "never"}, "after_documents"),
        ({"retries": 6}, "retries"),
    ],
)
def test_what_does_not_fit_is_named_by_its_path(change, field):
    assert field in refused(GOOD | change)


@pytest.mark.parametrize("definition", [[], "text", 7])
def test_only_an_object_is_a_definition(definition):
    assert refused(definition)


def test_a_draft_may_be_incomplete():
    assert check({"instructions": "{{ later }}"}, complete=False)["instructions"] == "{{ later }}"
    assert "instructions" in problems(blank())


SAME = str(uuid4())


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"model": SAME, "fallback_model": SAME.upper()}, "fallback_model"),
        ({"memory": {"history_runs": 3}}, "memory.history_runs"),
        ({"memory": {"person": True}}, "memory.person"),
        ({"memory": {"storage": "none", "summary": True}}, "memory.summary"),
    ],
)
def test_an_impossible_combination_is_kept_in_a_draft_but_not_published(change, field):
    assert check(GOOD | change, complete=False)
    assert list(problems(GOOD | change)) == [field]


def test_a_definition_of_an_earlier_release_is_read_with_defaults_and_keeps_its_digest():
    earlier = {
        "instructions": "Go", "model": None, "parameters": {}, "variables": [], "tools": [{"key": "calculator", "config": {}}],
        "limits": {"seconds": 60, "model_turns": 10, "tool_calls": 10, "tokens": 50_000}, "markdown": True,
    }  # fmt: skip
    now = check(earlier)
    assert (now["memory"]["storage"], now["retries"], now["output"], now["fallback_model"]) == ("none", 2, None, None)
    assert digest(now) == digest(earlier)
    assert digest(now | {"dates": True}) != digest(earlier)


def test_history_is_told_again_only_where_something_is_kept():
    assert check(GOOD)["memory"]["history_runs"] == 0
    assert check(GOOD | {"memory": {"storage": "redis"}})["memory"]["history_runs"] == 5


def test_buckets_are_kept_once_each():
    assert check(GOOD | {"buckets": [SAME, SAME.upper()]})["buckets"] == [SAME]


def test_all_mistakes_are_told_at_once():
    assert len(refused({"instructions": "", "model": "x", "limits": {"tokens": 1}})) == 3


def test_braces_that_are_escaped_are_no_variables():
    assert check({"instructions": r"Write \{{ this }} literally."})


VARIABLES = check(
    {
        "instructions": "Go",
        "variables": [
            {"name": "title"},
            {"name": "text", "kind": "long_text", "required": False},
            {"name": "count", "kind": "number", "default": 3},
            {"name": "tone", "kind": "choice", "choices": ["calm", "loud"], "default": "calm"},
            {"name": "urgent", "kind": "boolean"},
            {"name": "due", "kind": "date", "required": False},
        ],
    }
)["variables"]


def test_values_get_their_defaults():
    values = check_values(VARIABLES, {"title": " Hello "})
    assert values == {"title": "Hello", "text": "", "count": 3, "tone": "calm", "urgent": False, "due": None}


def test_values_from_a_form_become_what_they_mean():
    values = check_values(VARIABLES, {"title": "A", "count": "2.5", "urgent": "on", "due": "2026-11-30"})
    assert (values["count"], values["urgent"], values["due"]) == (2.5, True, "2026-11-30")


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({}, "variables.title"),
        ({"title": "   "}, "variables.title"),
        ({"title": 5}, "variables.title"),
        ({"title": "a\x00"}, "variables.title"),
        ({"title": "x" * 1001}, "variables.title"),
        ({"title": "A", "text": "x" * 50_001}, "variables.text"),
        ({"title": "A", "count": "many"}, "variables.count"),
        ({"title": "A", "count": float("inf")}, "variables.count"),
        ({"title": "A", "count": 10**400}, "variables.count"),
        ({"title": "A", "count": True}, "variables.count"),
        ({"title": "A", "tone": "shrill"}, "variables.tone"),
        ({"title": "A", "tone": ["calm"]}, "variables.tone"),
        ({"title": "A", "urgent": "perhaps"}, "variables.urgent"),
        ({"title": "A", "due": "30.11.2026"}, "variables.due"),
        ({"title": "A", "due": "2026-02-30"}, "variables.due"),
        ({"title": "A", "unknown": 1}, "variables.unknown"),
        (["title"], "variables"),
    ],
)
def test_a_value_that_does_not_fit_is_named(given, field):
    with pytest.raises(Invalid) as caught:
        check_values(VARIABLES, given)
    assert field in caught.value.fields


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda one: one.key)
def test_every_template_is_ready_and_its_sample_fits(template):
    definition = template.definition()
    values = check_values(definition["variables"], template.sample_values)
    assert "{{" not in render(definition["instructions"], values)
    assert template.icon in ICONS
    assert len(template.sample_input) > 20


def test_each_department_of_the_gallery_has_templates():
    assert CATEGORIES == ("Marketing", "Finance", "Tech")
    assert len(TEMPLATES) >= 9


@pytest.mark.parametrize(("key", "needs"), [("http_api", False), ("sql", True), ("email", True)])
def test_a_connection_is_asked_for_only_where_the_tool_cannot_do_without(db, key, needs):
    found = problems({"instructions": "Go", "tools": [{"key": key, "config": {}}]})
    assert ("tools.0.connection" in found) is needs

"""The form that an answer must have."""

from __future__ import annotations

import pytest

from agents.definition import check, digest, problems
from agents.definition.output import Field, fields_of, named_fields, schema_of
from mindloom.web.errors import Invalid

LINE = Field(
    name="lines", kind="object", is_list=True, fields=(Field(name="text"), Field(name="amount", kind="number"))
)
ROWS = [
    Field(name="title", description="As on the letter"),
    Field(name="total", kind="number"),
    Field(name="pages", kind="whole"),
    Field(name="paid", kind="boolean", required=False),
    Field(name="due", kind="date"),
    Field(name="tone", kind="choice", choices=("calm", "loud")),
    Field(name="tags", is_list=True),
    LINE,
]


def with_schema(schema, name="Invoice"):
    return {"instructions": "Go", "output": {"name": name, "schema": schema}}


def refused(schema):
    with pytest.raises(Invalid) as caught:
        check(with_schema(schema), complete=False)
    return caught.value.fields


def an(**properties):
    return {"type": "object", "properties": properties}


def test_rows_become_a_schema_that_becomes_the_same_rows():
    order = [one.name for one in ROWS if one.required] + ["paid"]
    assert fields_of(schema_of(ROWS)) == sorted(ROWS, key=lambda row: order.index(row.name))


def test_the_schema_of_rows_is_accepted_and_kept():
    kept = check(with_schema(schema_of(ROWS)))["output"]
    assert kept == {"name": "Invoice", "schema": schema_of(ROWS)}
    assert check(with_schema(kept["schema"]))["output"] == kept


def test_fields_are_seen_in_the_order_of_the_required_ones_then_by_name():
    schema = an(b={"type": "string"}, a={"type": "string"}, z={"type": "string"}) | {"required": ["z"]}
    assert named_fields(schema) == ["z", "a", "b"]


@pytest.mark.parametrize(
    "schema",
    [
        an(a={"type": "string", "minLength": 3}),
        an(a={"type": ["string", "null"]}),
        an(a={"type": "string"}),
        schema_of(
            [Field(name="a", kind="object", fields=(Field(name="b", kind="object", fields=(Field(name="c"),)),))]
        ),
        {"type": "object", "properties": {"a": 5}, "additionalProperties": False},
        {"type": "object", "properties": []},
        {},
        None,
    ],
)
def test_a_schema_beyond_the_form_has_no_rows(schema):
    assert fields_of(schema) is None


def test_an_empty_schema_has_no_rows_yet():
    assert fields_of(schema_of([])) == []


def deep(levels):
    schema = {"type": "string"}
    for _ in range(levels):
        schema = an(a=schema)
    return schema


@pytest.mark.parametrize(
    ("schema", "path"),
    [
        ([], "output.schema"),
        ("text", "output.schema"),
        ({"type": "array", "items": {"type": "string"}}, "output.schema.type"),
        ({"properties": {}}, "output.schema.type"),
        (an(a={"type": "text"}), "output.schema.properties.a.type"),
        (an(a={"type": []}), "output.schema.properties.a.type"),
        (an(a={"type": ["string", 5]}), "output.schema.properties.a.type"),
        (an(a={}), "output.schema.properties.a.type"),
        (an(a="string"), "output.schema.properties.a"),
        (an(a={"$ref": "https://example.org/schema", "type": "string"}), "output.schema.properties.a.$ref"),
        (an(a={"type": "string", "pattern": "(a+)+$"}), "output.schema.properties.a.pattern"),
        (an(a={"type": "string", "format": "regex"}), "output.schema.properties.a.format"),
        (an(a={"type": "array"}), "output.schema.properties.a.items"),
        (an(a={"type": "array", "items": [{"type": "string"}]}), "output.schema.properties.a.items"),
        (an(a={"type": "string", "enum": ["x"] * 101}), "output.schema.properties.a.enum"),
        (an(a={"type": "string", "enum": [{}]}), "output.schema.properties.a.enum"),
        (an(a={"type": "number", "minimum": "1"}), "output.schema.properties.a.minimum"),
        (an(a={"type": "string", "minLength": -1}), "output.schema.properties.a.minLength"),
        (an(a={"type": "string", "description": 5}), "output.schema.properties.a.description"),
        (an(**{"a b": {"type": "string"}}), "output.schema.properties.a b"),
        (an(**{f"f{n}": {"type": "string"} for n in range(51)}), "output.schema.properties"),
        ({"type": "object", "properties": []}, "output.schema.properties"),
        (an(a={"type": "string"}) | {"required": ["b"]}, "output.schema.required"),
        (an(a={"type": "string"}) | {"required": "a"}, "output.schema.required"),
        (an(a={"type": "string"}) | {"additionalProperties": {}}, "output.schema.additionalProperties"),
        (an() | {"$defs": {}}, "output.schema.$defs"),
        (an(a={"type": "string", "description": "x" * 20_000}), "output.schema"),
        (an(a={"type": "string", "description": "\x00"}), "output.schema"),
        (an(a={"type": "string", "description": "\ud800"}), "output.schema"),
        (an(a={"type": "number", "minimum": float("nan")}), "output.schema"),
    ],
)
def test_what_a_schema_may_not_say_is_named_by_its_path(schema, path):
    assert path in refused(schema)


def test_a_schema_may_be_five_levels_deep():
    assert check(with_schema(deep(4)))
    assert any("nested deeper" in one for sentences in refused(deep(5)).values() for one in sentences)


def test_a_bottomless_schema_is_refused_too():
    bottomless = {"type": "object"}
    for _ in range(100_000):
        bottomless = {"type": "object", "properties": {"a": bottomless}}
    assert "output.schema" in refused(bottomless)
    while isinstance(bottomless.get("properties"), dict):  # taken apart by hand: freeing it at once is deep, too
        bottomless = bottomless["properties"]["a"]


def test_a_structured_answer_needs_a_field_before_it_is_published():
    assert check(with_schema(an()), complete=False)
    assert "output.schema" in problems(with_schema(an()))


@pytest.mark.parametrize("name", ["1st", "ä", "x" * 65, 5])
def test_the_answers_name_is_a_plain_word(name):
    with pytest.raises(Invalid) as caught:
        check(with_schema(an(), name), complete=False)
    assert "output.name" in caught.value.fields


def test_the_order_of_required_fields_is_part_of_the_digest():
    one, other = schema_of([Field(name="a"), Field(name="b")]), schema_of([Field(name="b"), Field(name="a")])
    assert digest(check(with_schema(one))) != digest(check(with_schema(other)))

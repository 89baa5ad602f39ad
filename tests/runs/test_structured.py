"""Structured answers: as people read them, and as a spreadsheet takes them."""

from __future__ import annotations

import csv
import io
import json

import pytest

from runs.stream.structured import as_csv, pretty, shown

SCHEMA = {
    "type": "object",
    "required": ["title", "budget", "calls"],
    "properties": {
        "budget": {"type": "object", "properties": {"amount": {"type": "number"}, "currency": {"type": "string"}}},
        "calls": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["name", "due"],
                "properties": {"due": {"type": "string"}, "name": {"type": "string", "title": "Call"}},
            },
        },
        "open": {"type": "boolean"},
        "tags": {"type": "array", "items": {"type": "string"}},
        "title": {"type": "string"},
    },
}
ANSWER = {
    "budget": {"amount": -5, "currency": "EUR"},
    "calls": [{"due": "2026-12-04", "name": "Horizon"}, {"due": "2026-12-18", "name": "Erasmus"}],
    "open": True,
    "tags": ["a", "b"],
    "title": "Grants",
}


def rows(value, schema=SCHEMA):
    return list(csv.reader(io.StringIO(as_csv(value, schema))))


def test_fields_stand_in_the_order_of_the_form():
    found = shown(ANSWER, SCHEMA)
    assert [one.label for one in found] == ["Title", "Budget", "Calls", "Open", "Tags"]
    assert [one.kind for one in found] == ["text", "group", "table", "text", "list"]
    assert found[3].text == "Yes"


def test_a_list_of_groups_is_a_table():
    found = shown(ANSWER, SCHEMA)[2]
    assert found.columns == ("Call", "Due")
    assert found.rows == (("Horizon", "2026-12-04"), ("Erasmus", "2026-12-18"))


def test_a_group_shows_its_fields():
    assert [(one.label, one.text) for one in shown(ANSWER, SCHEMA)[1].fields] == [("Amount", "-5"), ("Currency", "EUR")]


@pytest.mark.parametrize("value", [None, "", [], {}])
def test_nothing_is_shown_as_a_dash(value):
    assert shown({"title": value}, SCHEMA)[0].text == "–"


def test_an_answer_without_a_form_is_shown_all_the_same():
    assert [(one.label, one.text) for one in shown({"b": 1, "a": {"x": [1]}}, None)[1:]] == [("B", "1")]


def test_json_has_the_order_of_the_form():
    assert list(json.loads(pretty(ANSWER, SCHEMA))) == ["title", "budget", "calls", "open", "tags"]


def test_a_row_for_each_group_with_the_other_fields_repeated():
    assert rows(ANSWER) == [
        ["title", "budget.amount", "budget.currency", "open", "tags", "calls.name", "calls.due"],
        ["Grants", "-5", "EUR", "true", "a; b", "Horizon", "2026-12-04"],
        ["Grants", "-5", "EUR", "true", "a; b", "Erasmus", "2026-12-18"],
    ]


def test_one_row_when_there_is_no_list_of_groups_or_more_than_one():
    assert len(rows({"title": "x"})) == 2
    two = {"calls": [{"name": "a"}], "more": [{"name": "b"}]}
    assert rows(two)[1] == ['[{"name": "a"}]', '[{"name": "b"}]']


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "  =1"])
def test_text_that_a_spreadsheet_would_compute_is_text(text):
    assert rows({"title": text})[1] == [f"'{text}"]
    assert rows({"tags": [text]})[1] == [f"'{text}"]
    assert rows({"calls": [{"name": text}]})[1] == [f"'{text}"]
    assert rows({text: "x"})[0] == [f"'{text}"]


def test_numbers_stay_numbers():
    assert rows({"budget": {"amount": -5}})[1] == ["-5"]

"""Variables in instructions."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mindloom.engine.prompt import PromptError, render, variables_in


def test_a_variable_is_replaced_by_its_value():
    assert (
        render("Write for {{ audience }}, {{audience}}!", {"audience": "children"}) == "Write for children, children!"
    )


def test_an_unknown_variable_is_named_together_with_the_known_ones():
    with pytest.raises(PromptError) as caught:
        render("For {{ audiense }}", {"audience": "x", "tone": "y"})
    assert "audiense" in caught.value.message
    assert "audience, tone" in caught.value.message


def test_braces_in_a_value_stay_text():
    assert render("{{ a }} {{ b }}", {"a": "{{ b }}", "b": "{{ a }}"}) == "{{ b }} {{ a }}"


def test_single_braces_and_json_are_left_alone():
    assert render('{name} {"a": {"b": 1}}', {}) == '{name} {"a": {"b": 1}}'


def test_escaped_braces_are_written_as_braces():
    assert render(r"\{{ name }}", {}) == "{{ name }}"
    assert variables_in(r"\{{ name }}") == ()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "yes"), (False, "no"), (None, ""), (3, "3"), (3.0, "3"), (2.5, "2.5"), (Decimal("1.50"), "1.50"),
        (Decimal(100), "100"), (dt.date(2025, 1, 2), "2025-01-02"), (dt.datetime(2025, 1, 2, 3, 4), "2025-01-02 03:04"),
        (["a", "b"], "a, b"), (float("inf"), "inf"),
    ],
)  # fmt: skip
def test_a_value_is_written_as_a_person_would(value, text):
    assert render("{{ x }}", {"x": value}) == text


def test_the_names_of_variables_come_once_and_in_order():
    assert variables_in("{{ b }} {{ a }} {{ b }}") == ("b", "a")


def test_a_bad_name_is_refused():
    with pytest.raises(PromptError, match="2nd name"):
        variables_in("{{ 2nd name }}")


@settings(max_examples=40)
@given(st.text())
def test_any_value_is_inserted_as_it_is(value):
    assert render("<{{ x }}>", {"x": value}) == f"<{value}>"

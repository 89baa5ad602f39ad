"""Tools that work on what they are given: text, JSON and XML, units."""

from __future__ import annotations

import json
import time

import pytest

from tests.integrations.tools.helpers import call, refusal


def test_text_is_counted():
    said = call("text", "text_count", text="Hello there. It's me!\n\nBye, hello.", term="hello")
    assert "34 characters (28 without spaces), 6 words, 3 sentences, 3 lines, 2 paragraphs" in said
    assert said.endswith("“hello” occurs 2 times.")


def test_texts_are_compared():
    said = call("text", "text_compare", before="a\nb\nc", after="a\nB\nc\nd")
    assert said.startswith("2 lines added, 1 removed.")
    assert "\n-b\n+B\n" in said
    assert call("text", "text_compare", before="a", after="a") == "The two texts are the same."
    assert "at most 4,000 lines" in refusal("text", "text_compare", before="a\n" * 5_000, after="b")


def test_words_are_replaced():
    assert (
        call("text", "text_replace", text="Cat cat category", find="cat", replace_with=r"\1", whole_words=True)
        == "Replaced 2 times.\n\n\\1 \\1 category"
    )
    assert call("text", "text_replace", text="Cat cat", find="cat", replace_with="", match_case=True).endswith(
        "\n\nCat "
    )
    assert "too long" in refusal("text", "text_replace", text="a" * 100_000, find="a", replace_with="b" * 1_000)


@pytest.mark.parametrize(
    ("what", "found"),
    [
        ("emails", ["lena@example.org", "o.m@mail.example.co"]), ("links", ["https://example.org/a?b=1"]), ("dates", ["2026-11-02", "3 March 2026", "04.05.2026"]),
        ("phones", ["+49 30 1234567"]), ("numbers", ["1,200.50", "-3"]),
    ],
)  # fmt: skip
def test_things_are_extracted(what, found):
    text = "Write lena@example.org, o.m@mail.example.co. See (https://example.org/a?b=1). From 2026-11-02, 3 March 2026 to 04.05.2026. Call +49 30 1234567. Pay 1,200.50 and -3."
    lines = call("text", "text_extract", text=text, what=what).splitlines()[1:]
    assert set(found) <= set(lines)


@pytest.mark.parametrize("what", ["emails", "links", "dates", "phones", "numbers"])
@pytest.mark.parametrize("piece", ["a@", "a.", "1", "1.", "+1 ", "+11(", "http://", "x@y.z", "1 May ", "a-"])
def test_extracting_takes_no_longer_than_the_text_is_long(what, piece):
    began = time.process_time()
    call("text", "text_extract", text=piece * (200_000 // len(piece)), what=what)
    assert time.process_time() - began < 3


def test_letters_and_lines_are_put_in_order():
    assert call("text", "text_case", text="the END. it's over", case="sentence") == "The end. It's over"
    assert call("text", "text_case", text="lena's house", case="title") == "Lena's House"
    assert (
        call(
            "text",
            "text_lines",
            text="item 10\n\nItem 9\nitem 9 \n",
            steps=["drop_empty", "drop_duplicates", "sort", "number"],
        )
        == "2 lines.\n\n1. Item 9\n2. item 10"
    )


@pytest.mark.parametrize(
    ("value", "one", "two", "result"),
    [
        (1, "mile", "km", "1 mi = 1.609344 km"), (100, "°F", "celsius", "100 °F = 37.777777778 °C"), (0, "K", "°C", "0 K = -273.15 °C"), (5, "l/100km", "mpg", "5 l/100km = 47.042916667 mpg"),
        (36, "km/h", "m/s", "36 km/h = 10 m/s"), (3, "square feet", "m²", "3 ft² = 0.27870912 m²"), (1, "GiB", "MB", "1 GiB = 1,073.741824 MB"), (2.5, "hours", "min", "2.5 h = 150 min"),
        (12, "miles per hour", "km/h", "12 mph = 19.312128 km/h"), (1e-7, "mm", "km", "0.0000001 mm = 0.0000000000001 km"),
    ],
)  # fmt: skip
def test_units_are_converted_exactly(value, one, two, result):
    assert call("units", "convert_units", value=value, from_unit=one, to_unit=two) == result


@pytest.mark.parametrize(
    ("value", "one", "two", "words"),
    [(1, "kg", "m", "measures mass"), (1, "EUR", "USD", "Currencies are not converted"), (-500, "°C", "K", "absolute zero"), (0, "mpg", "l/100km", "more than zero"), (1e300, "m", "km", "too large")],
)  # fmt: skip
def test_what_cannot_be_converted_is_refused(value, one, two, words):
    assert words in refusal("units", "convert_units", value=value, from_unit=one, to_unit=two)


PEOPLE = json.dumps({"people": [{"name": "Lena", "age": 41}, {"name": "Omar", "age": 29}]})


def test_json_is_queried():
    assert json.loads(call("data", "query_json", json_text=PEOPLE, path="people[?age > `30`].name")) == ["Lena"]
    assert json.loads(call("data", "query_json", json_text=PEOPLE, path="people[*].[name, age]")) == [
        ["Lena", 41],
        ["Omar", 29],
    ]
    assert "At the top there are: people" in call("data", "query_json", json_text=PEOPLE, path="persons")


@pytest.mark.parametrize(
    ("text", "path", "words"),
    [("{", "a", "not JSON"), (PEOPLE, "people[", "path does not work"), (PEOPLE, "nofunction(@)", "path does not work"), ("[1]", "[@,@]|" * 70 + "@", "repeats too much"),
     ("[" * 100_000, "a", "not JSON")],
)  # fmt: skip
def test_what_cannot_be_queried_is_refused(text, path, words):
    assert words in refusal("data", "query_json", json_text=text, path=path)


XML = "<r xmlns='urn:x'><item id='1' href='/a'><title>One</title></item><item id='2'><title>Two</title></item></r>"


@pytest.mark.parametrize(
    ("path", "result"),
    [("//item/title", "One\nTwo"), ("/r/item[@id='2']/title", "Two"), ("//item/@href", "/a\n"), ("item[1]/title", "One"), ("//nothing", "Nothing is at this path. The root is <r> with <item> in it.")],
)  # fmt: skip
def test_xml_is_queried(path, result):
    assert call("data", "query_xml", xml_text=XML, path=path) == result


def test_xml_that_hides_something_is_refused():
    assert "entities" in refusal("data", "query_xml", xml_text='<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>', path="//x")
    assert "path does not work" in refusal("data", "query_xml", xml_text=XML, path="//item[")

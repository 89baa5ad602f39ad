"""What changed, in words."""

from __future__ import annotations

import pytest

from agents.definition import check
from agents.definition.difference import Names, sentences
from agents.definition.textdiff import lines
from integrations import tools

A, B = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
NAMES = Names(models={A: "Swift", B: "Balanced"}, connections={A: "Post"})
TOPIC = {"name": "topic", "label": "Topic"}
DUE = {"name": "due", "label": "due date", "kind": "date"}
FORM = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"], "additionalProperties": False}


def told(before, after):
    old, new = (check({"instructions": "Be kind. Be short."} | one, complete=False) for one in (before, after))
    return sentences(old, new, NAMES)


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ({}, {}, []),
        ({}, {"instructions": "Be kind. Be quick! Ask. Be short."}, ["Instructions: two sentences added."]),
        ({}, {"instructions": "Be kind."}, ["Instructions: one sentence removed."]),
        ({}, {"instructions": "Be kind. Be long. Ask."}, ["Instructions: one sentence added, one changed."]),
        ({}, {"instructions": "Be kind.\n\nBe short."}, ["Instructions: only spaces and line breaks changed."]),
        ({"model": A}, {"model": B}, ["Model: Swift → Balanced."]),
        (
            {},
            {"model": "33333333-3333-4333-8333-333333333333"},
            ["Model: the default model → a model that is gone."],
        ),
        ({}, {"fallback_model": A}, ["When the model fails, Swift steps in."]),
        ({"fallback_model": A}, {}, ["No other model steps in any more."]),
        ({}, {"parameters": {"temperature": 0.7}}, ["Creativity: the model’s own → 0.7."]),
        ({}, {"variables": [DUE]}, ["New variable “due date”, must be filled in."]),
        ({}, {"variables": [DUE | {"required": False}]}, ["New variable “due date”, may stay empty."]),
        ({"variables": [DUE]}, {}, ["Variable “due date” removed."]),
        (
            {"variables": [DUE]},
            {"variables": [DUE | {"kind": "text", "default": "soon"}]},
            ["Variable “due date”: date → short text, now may stay empty, filled in at first: nothing → soon."],
        ),
        ({"variables": [TOPIC, DUE]}, {"variables": [DUE, TOPIC]}, ["The variables stand in another order."]),
        ({}, {"tools": [{"key": "calculator"}]}, ["May now use Calculator (executes)."]),
        ({"tools": [{"key": "calculator"}]}, {}, ["May no longer use Calculator (executes)."]),
        (
            {"tools": [{"key": "web_page"}]},
            {"tools": [{"key": "web_page", "config": {"sites": ["example.org"]}}]},
            ["{web_page}, {sites}: nothing → example.org."],
        ),
        ({}, {"buckets": [A, B]}, ["Two content buckets attached."]),
        (
            {},
            {"memory": {"storage": "redis", "person": True, "window": "drop"}},
            [
                "Memory: nothing is kept → kept for a while.",
                "Earlier runs told again: 0 → 5.",
                "Remembers people now.",
                "When the model can read no more: stop and say so → leave the oldest out.",
            ],
        ),
        ({}, {"output": {"name": "Note", "schema": FORM}}, ["Answers now have a form: a."]),
        ({"output": {"name": "Note", "schema": FORM}}, {}, ["Answers are free text again."]),
        (
            {"output": {"name": "Note", "schema": FORM}},
            {
                "output": {
                    "name": "Note",
                    "schema": FORM
                    | {"properties": {"b": {"type": "array", "items": {"type": "number"}}}, "required": ["b"]},
                }
            },
            ["Answer: new field “b” (list of: number).", "Answer: field “a” removed."],
        ),
        (
            {"output": {"name": "Note", "schema": FORM}},
            {"output": {"name": "Note", "schema": {key: FORM[key] for key in FORM if key != "required"}}},
            ["Answer: field “a” changed (text, may be missing)."],
        ),
        (
            {},
            {"after_documents": "allow"},
            ["Tools that send or write no longer ask a person when documents were read."],
        ),
        ({}, {"reasoning": True}, ["Thinks step by step before answering now."]),
        ({}, {"language": "German"}, ["Language of answers: the question’s → German."]),
        ({}, {"dates": True, "retries": 0}, ["Knows today’s date now.", "Tries again after a failed request: 2 → 0."]),
        ({}, {"limits": {"tokens": 10_000}}, ["Tokens per run: 200,000 → 10,000."]),
    ],
)
def test_a_change_is_said_in_a_sentence(before, after, said):
    web = tools.tool("web_page")
    filled = [
        one.format(web_page=web.name, sites=web.config_fields[0].label.lower()) if "{" in one else one for one in said
    ]
    found = told(before, after)
    assert found == [one.replace("(executes)", f"({tools.tool('calculator').effect})") for one in filled]


def marked(before, after):
    return [
        (line.kind, "|".join(f"{piece.kind}:{piece.text}" for piece in line.pieces)) for line in lines(before, after)
    ]


def test_equal_texts_have_no_difference():
    assert lines("a\nb", "a\nb") == []


def test_changed_words_are_marked_inside_their_line():
    assert marked("Write one page for me.", "Write two pages for me.") == [
        ("changed", ":Write |del:one|ins:two|: |del:page|ins:pages|: for me.")
    ]


def test_lines_that_share_little_stand_one_after_the_other():
    assert [kind for kind, _ in marked("abc", "Nothing like it at all")] == ["del", "ins"]


def test_lines_come_and_go_and_the_quiet_ones_are_counted():
    before = "\n".join(f"line {n}" for n in range(20))
    found = lines(before, before.replace("line 10", "line 10\nnew and different words"))
    assert [line.kind for line in found] == ["gap", "same", "same", "ins", "same", "same", "gap"]
    assert found[0].skipped == 9


def test_long_texts_are_compared_in_bounded_time():
    assert lines("word " * 20_000, "other " * 16_000)
    assert lines("\n" * 50_000, "\n" * 40_000)
    assert lines("\n".join(map(str, range(15_000))), "\n".join(map(str, range(15_000, 0, -1))))

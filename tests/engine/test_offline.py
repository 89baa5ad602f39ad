"""The Offline model, through the runner."""

from __future__ import annotations

import pytest

from mindloom.engine.extractive import calling
from mindloom.engine.extractive.asking import Request, find_csv
from mindloom.engine.extractive.reading import facts, sentences, summarise
from mindloom.engine.ports import ToolError
from mindloom.engine.spec import ModelSpec
from tests.engine.helpers import LentPorts, agent_spec, of, offline_spec, play, text_schema, tool

NOTES = """Summarise the meeting notes below:
The launch of the Blue Widget was moved to 15 March 2025 because testing is late. Anna Schmidt reported that costs rose by 12%
to $45,000. The board agreed to approve the additional budget. However, there is a risk that the supplier cannot deliver on time.
Peter Jones should send the new schedule to all departments by Friday. It is unclear who will pay for the extra shipping.
Contact: anna@example.com."""
MINUTES = """You write minutes. Structure your answer with these sections:
- Summary: two sentences
- Decisions
- Action items
- Open questions

Rules:
- Never invent anything."""


def answer(instructions, text, *functions):
    return play(offline_spec(instructions), text, LentPorts(*functions))[-1].output


def saving():
    def save(arguments, context):
        context.save_artifact(arguments["name"], arguments["content"].encode(), "text/markdown")
        return f"Saved {arguments['name']}."

    parameters = text_schema("name", "content", "format")
    parameters["properties"]["format"]["enum"] = ["markdown", "csv"]
    return tool("save_artifact", save, parameters, "Saves a file of the run", "writes")


def test_it_says_that_it_is_not_a_language_model():
    assert "it is not a language model" in answer("", "Hello").splitlines()[-1]


def test_it_summarises_with_sentences_of_the_text():
    text = answer("", NOTES)
    assert "The launch of the Blue Widget was moved to 15 March 2025" in text
    assert "Contact:" not in text.partition("## Key facts")[0]


def test_it_lists_the_facts_of_the_text():
    text = answer("", NOTES)
    for fact in ("15 March 2025", "$45,000", "12%", "Anna Schmidt", "anna@example.com"):
        assert fact in text.partition("## Key facts")[2]


def test_it_answers_in_the_sections_that_the_instructions_ask_for():
    text = answer(MINUTES, NOTES)
    headings = [line.removeprefix("## ") for line in text.splitlines() if line.startswith("## ")]
    assert headings == ["Summary", "Decisions", "Action items", "Open questions"]


def test_each_section_holds_what_its_title_says():
    parts = dict(part.split("\n", 1) for part in answer(MINUTES, NOTES).split("## ")[1:])
    assert "agreed to approve" in parts["Decisions"]
    assert "Peter Jones should send" in parts["Action items"]
    assert "unclear who will pay" in parts["Open questions"]


def test_it_answers_a_question_with_the_closest_sentence():
    assert "> The board agreed to approve" in answer("", "Who approved the budget?\n" + NOTES.partition("\n")[2])


def test_it_quotes_retrieved_passages_with_their_numbers():
    search = tool(
        "search_knowledge",
        lambda arguments, context: "[1] Holidays are 30 days a year.\n\n[2] The canteen opens at noon.",
        text_schema("query"),
    )
    assert "> The canteen opens at noon. [2]" in answer("", "When does the canteen open?", search)


CANTEEN = "[1] Holidays are 30 days a year.\n\n[2] The canteen opens at noon."


@pytest.mark.parametrize(
    ("found", "said", "unsaid"),
    [
        (CANTEEN, "## From the documents\n\n> The canteen opens at noon. [2]", "figures"),
        ("No passage of the documents is about this.", "- **No passage of the documents is about this.**", "figures"),
    ],
)
def test_sections_leave_no_passage_out_and_say_nothing_wrong_of_what_was_found(found, said, unsaid):
    search = tool("search_knowledge", lambda arguments, context: found, text_schema("query"))
    told = answer(MINUTES, "When does the canteen open?", search)
    assert said in told
    assert unsaid not in told


def test_passages_are_quoted_once_where_a_section_is_for_them():
    search = tool("search_knowledge", lambda arguments, context: CANTEEN, text_schema("query"))
    told = answer("Answer with these sections:\n- Evidence\n- Risks", "When does the canteen open?", search)
    assert told.count("> The canteen opens at noon. [2]") == 1


@pytest.mark.parametrize(
    ("text", "expression"),
    [("What is 12 * (3 + 4)?", "12 * (3 + 4)"), ("15% of 240", "240 * 15 / 100"), ("Add 1,000 + 2", "1000 + 2")],
)
def test_it_calculates_with_a_calculator(text, expression):
    calculate = tool("calculate", lambda arguments, context: "42", text_schema("expression"))
    events = play(offline_spec(), text, LentPorts(calculate))
    assert [event.arguments for event in of(events, "tool_call.started")] == [{"expression": expression}]
    assert "**42**" in events[-1].output


@pytest.mark.parametrize(
    "text", ["Meet on 2025-01-02 at 10", "Call 555-1234", "see 3/4/2025", "version 1.2.3", "3-5 days"]
)
def test_dates_and_numbers_are_not_arithmetic(text):
    assert calling.expressions(text) == []


def offered(name, required=(), **properties):
    return calling.Offered(name, name, {"properties": properties, "required": list(required)})


@pytest.mark.parametrize(
    ("tool", "text", "arguments"),
    [
        (
            offered("current_datetime", timezone={}),
            "What day is today in Europe/Berlin?",
            {"timezone": "Europe/Berlin"},
        ),
        (offered("current_datetime", timezone={}), "What is today's date?", {}),
        (
            offered("date_difference", ("start", "end"), start={}, end={}),
            "How many days between 2025-01-01 and 2025-02-01?",
            {"start": "2025-01-01", "end": "2025-02-01"},
        ),
        (
            offered("add_to_date", ("date", "days"), date={}, days={}),
            "What is 2 weeks before 2025-01-15?",
            {"date": "2025-01-15", "days": -14},
        ),
        (
            offered("fetch_page", ("url",), url={}),
            "Summarise https://example.com/a, please.",
            {"url": "https://example.com/a"},
        ),
    ],
)
def test_it_fills_a_tool_from_the_input(tool, text, arguments):
    assert calling.calls(Request("", text), [tool]) == [(tool.name, arguments)]


def test_it_adds_up_the_column_that_was_asked_for():
    table = "region,year,sales\nNorth,2024,10\nSouth,2024,20\nNorth,2025,5"
    operation = {"enum": ["sum", "average"]}
    aggregate = offered("csv_aggregate", ("csv_text",), csv_text={}, group_by={}, value={}, operation=operation)
    [(_, arguments)] = calling.calls(Request("", f"Average sales by region:\n{table}"), [aggregate])
    assert arguments == {"csv_text": table, "group_by": "region", "value": "sales", "operation": "average"}


def test_it_leaves_a_tool_alone_that_it_cannot_fill():
    mail = tool("send_mail", lambda arguments, context: "sent", text_schema("to", "subject", "body"), effect="sends")
    assert not of(play(offline_spec(), NOTES, LentPorts(mail)), "tool_call.started")


def test_it_saves_its_answer_as_a_file_when_asked():
    ports = LentPorts(saving())
    events = play(offline_spec(MINUTES + "\nSave the minutes as a file."), NOTES, ports)
    assert [event.type for event in of(events, "artifact.saved")] == ["artifact.saved"]
    [content] = ports.files.values()
    assert content.startswith(b"## Summary")
    assert b"language model" not in content


def test_a_file_in_csv_holds_a_table():
    ports = LentPorts(saving())
    play(offline_spec("Save the facts as CSV file."), NOTES, ports)
    [content] = ports.files.values()
    assert content.splitlines()[:2] == [b"What,Found", b"Dates,15 March 2025"]


def test_it_saves_nothing_when_not_asked():
    ports = LentPorts(saving())
    play(offline_spec(MINUTES), NOTES, ports)
    assert ports.files == {}


def test_it_tells_when_a_tool_did_not_work():
    def refuse(arguments, context):
        raise ToolError("The page does not exist.")

    fetch = tool("fetch_page", refuse, text_schema("url"))
    assert "`fetch_page` did not work: The page does not exist." in answer("", "Read https://example.com/x", fetch)


def test_the_same_input_gives_the_same_answer():
    assert answer(MINUTES, NOTES) == answer(MINUTES, NOTES)


def test_its_tokens_are_estimated_from_the_length():
    events = play(offline_spec(), "Hello")
    [call] = of(events, "model.called")
    assert call.tokens_out == pytest.approx(len(events[-1].output) / 4, abs=2)


def test_its_pace_is_bounded_for_long_texts(monkeypatch):
    monkeypatch.setattr("mindloom.engine.agno_adapter.offline.LONGEST_SECONDS", 0.5)
    spec = agent_spec(ModelSpec(kind="offline", model="offline", parameters={"pace_ms": 50}), markdown=False)
    events = play(spec, NOTES)
    assert len(events[-1].output.split()) > 20
    assert 1 < len(of(events, "content.added")) <= 10


@pytest.mark.parametrize("text", ["", " ", "?", "a,b\n1", "((((", "- \n- \n", "\x00", "Title\n" * 400])
def test_odd_inputs_are_answered_too(text):
    assert play(offline_spec(MINUTES), text, LentPorts(saving()))[-1].type == "run.completed"


def test_an_abbreviation_does_not_end_a_sentence():
    assert sentences("Dr. Smith met Mr. Jones. They spoke.") == ["Dr. Smith met Mr. Jones.", "They spoke."]


def test_a_summary_leaves_out_repetitions():
    text = "The cat eats fish daily. The cat eats fish daily! Dogs chase balls in the park. Birds sing in old trees."
    assert sum("cat" in sentence for sentence in summarise(text, 3)) == 1


def test_names_do_not_begin_with_filling_words():
    assert facts("The Anna Schmidt report").names == ("Anna Schmidt",)


def test_prose_with_commas_is_not_a_table():
    assert find_csv("Well, yes.\nNow, no.\nThen, maybe.") == ""

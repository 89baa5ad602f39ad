"""What runs ask is decided on their page: by keyboard, in words, and seen by who looks on."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.test_pages import OFFICE_MAIL

MAIL = {"to": ["anna@example.org"], "subject": "The digest", "body": "Dear Anna,\n\nhere it is."}
QUESTION = {"name": "ask_person", "arguments": {"question": "Which city should the fair be in?"}}


@pytest.fixture(scope="module")
def clerk(product, models):
    """An agent that wants to send mail; the mail server it knows is not there."""
    model = models("clerk", {"tool_calls": [{"name": "send_email", "arguments": MAIL}]}, {"text": "That was it."})
    connection = product.api("maya", "POST", "connections", OFFICE_MAIL | {"name": "Clerk's mail"})["uuid"]
    tools = [{"key": "email", "connection": connection, "ask_first": True}]
    return product.agent("maya", "Mail clerk", draft={"instructions": "Do it.", "model": model, "tools": tools})


def test_a_call_is_approved_by_keyboard_and_the_log_goes_on(window, product, clerk):
    run = product.run("maya", clerk)
    product.run_waits("maya", run)
    page = window("maya")
    page.goto(f"/runs/{run}/")
    question = page.get_by_role("region", name="Mail clerk wants to send something outside with send_email.")
    for told in ("anna@example.org", "The digest", "here it is.", "sends"):
        expect(question).to_contain_text(told)

    note = question.get_by_label("Note")
    note.focus()
    page.keyboard.type("Looks good.")
    page.wait_for_timeout(2500)  # the page has reloaded its parts meanwhile
    expect(note).to_have_value("Looks good.")
    expect(note).to_be_focused()
    page.keyboard.press("Tab")
    expect(question.get_by_role("button", name="Approve")).to_be_focused()
    page.keyboard.press("Enter")

    log = page.get_by_role("log", name="Log")
    expect(log).to_contain_text("Maya Ortiz approved it: Looks good.")
    expect(log).to_contain_text("Taken up again by worker")
    expect(log).to_contain_text("That was it.")
    expect(page.get_by_role("region", name="Decisions")).to_contain_text("Looks good.")
    expect(question).to_have_count(0)


def test_who_looks_on_sees_the_decision_of_somebody_else(window, product, clerk):
    run = product.run("maya", clerk)
    approval = product.run_waits("maya", run)
    page = window("vera")
    page.goto(f"/runs/{run}/")
    expect(page.get_by_text("Maya Ortiz, who started this run, or a manager of Marketing can decide.")).to_be_visible()
    product.api("maya", "POST", approval["decide"].removeprefix("/api/v1/"), {"decision": "declined", "note": "No."})

    expect(page.get_by_role("log", name="Log")).to_contain_text("Maya Ortiz declined it: No.")
    expect(page.get_by_text("can decide")).to_have_count(0)
    expect(page.get_by_role("region", name="Decisions")).to_contain_text("Declined")


def test_a_question_is_answered_without_scripts(window, product, models, trouble):
    trouble.expect("status of 422")
    model = models("guide", {"tool_calls": [QUESTION]}, {"text": "Ghent it is."})
    run = product.run(
        "maya",
        product.agent(
            "maya", "Tour guide", draft={"instructions": "Do it.", "model": model, "tools": [{"key": "hand_over"}]}
        ),
    )
    product.run_waits("maya", run)
    page = window("maya", java_script_enabled=False)
    page.goto(f"/runs/{run}/")
    page.get_by_role("button", name="Answer").click()
    expect(page.get_by_text("Write the answer.").first).to_be_visible()
    page.get_by_label("Your answer").fill("Ghent")
    page.get_by_role("button", name="Answer").click()
    expect(page.get_by_text("Answered. The run goes on.")).to_be_visible()

    assert product.run_ends("maya", run)["output"] == "Ghent it is."

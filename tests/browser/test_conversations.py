"""A person talks with an agent, with the keyboard alone, and takes a question back."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect


@pytest.fixture(scope="package")
def echo(product, models):
    """An agent that says what it was told last."""
    model = models("parrot", {"text": ["I ", "heard ", "you."], "pace_ms": 60})
    return product.agent("maya", "Parrot", draft={"instructions": "Repeat.", "model": model})


def answers(page):
    return page.locator(".turn .prose")


def test_two_turns_and_a_question_taken_back_with_the_keyboard(window, echo):
    page = window("maya")
    page.goto(f"/agents/{echo}/")
    page.get_by_role("button", name="Talk").press("Enter")
    page.wait_for_url(re.compile("/conversations/"))
    expect(page.get_by_role("textbox", name="Message", exact=True)).to_be_focused()
    page.keyboard.type("First")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("question")
    page.keyboard.press("Enter")
    expect(answers(page)).to_have_text(["I heard you."])
    expect(page.get_by_role("heading", level=1)).to_have_text("First question")

    page.get_by_role("textbox", name="Message", exact=True).focus()
    page.keyboard.type("Second question")
    page.keyboard.press("Enter")
    expect(answers(page)).to_have_count(2)

    page.get_by_text("Edit and resend").last.press("Enter")
    again = page.get_by_label("Your message, corrected").last
    again.fill("A better question")
    page.get_by_role("button", name="Resend").last.press("Enter")
    expect(page.get_by_text("A better question")).to_be_visible()
    expect(answers(page)).to_have_count(2)
    expect(page.get_by_text("Second question")).to_have_count(0)
    page.get_by_role("link", name="Show 1 replaced turn").click()
    expect(page.get_by_text("Second question").first).to_be_visible()


def test_an_answer_is_seen_while_it_is_written_and_stopped(window, product, models):
    model = models("slow-parrot", {"text": ["word "] * 200, "pace_ms": 100})
    agent = product.agent("maya", "Slow parrot", draft={"instructions": "Repeat.", "model": model})
    page = window("maya")
    page.goto(f"/agents/{agent}/")
    page.get_by_role("button", name="Talk").click()
    page.get_by_role("textbox", name="Message", exact=True).fill("Go on")
    page.get_by_role("button", name="Send").click()
    expect(page.locator("turn-stream [data-text]")).to_contain_text("word word")
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_role("article", name="Turn").get_by_text("Stopped by Maya Ortiz.")).to_be_visible()
    expect(page.get_by_role("button", name="Try again")).to_be_visible()


def test_a_file_that_is_no_text_is_named_and_the_message_is_kept(window, echo, trouble):
    trouble.expect("status of 422")
    page = window("maya")
    page.goto(f"/agents/{echo}/")
    page.get_by_role("button", name="Talk").click()
    page.get_by_role("textbox", name="Message", exact=True).fill("Look at this")
    page.get_by_label("Attach text files").set_input_files(
        {"name": "photo.png", "mimeType": "image/png", "buffer": b"\x89PNG\x00"}
    )
    expect(page.locator("[data-files]")).to_contain_text("photo.png")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_text("photo.png is not a text file")).to_be_visible()
    expect(page.get_by_role("textbox", name="Message", exact=True)).to_have_value("Look at this")
